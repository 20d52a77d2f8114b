//! A target that runs: where its clients connect, and what it uses.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;

use crate::process::Process;

/// The processes of one target. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where clients connect.
    pub(crate) public: SocketAddr,
    /// The one that holds the sockets first.
    pub(crate) processes: Vec<Process>,
    pub(crate) paths: Paths,
    /// Settings and sockets of the processes.
    pub(crate) _folder: Option<TempDir>,
}

/// What the path of a URL stands for.
#[derive(Debug, Clone)]
pub(crate) enum Paths {
    /// An API of Longhold.
    Api,
    /// The channel of the client, which none had before: nginx is killed by a signal now and then
    /// when channels of nchan are used again soon.
    Channel(Arc<AtomicU64>),
}

/// What clients do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scene {
    /// Each gets back what it sends.
    Echo,
    /// As `Echo`, by a function in Python.
    Python,
    /// A function in Python is called without a gateway.
    Invoke,
    /// What one sends goes to all others.
    FanOut,
    /// Each is registered and cleaned up, where there is such a thing.
    Visit,
}

impl Paths {
    /// A channel for each client.
    pub(super) fn channels() -> Self {
        Self::Channel(Arc::default())
    }

    /// Where the next client connects.
    pub(crate) fn next(&self, scene: Scene) -> String {
        match (self, scene) {
            (Self::Api, Scene::Echo) => "/bench/echo".to_owned(),
            (Self::Api, Scene::Python | Scene::Invoke) => "/bench/python".to_owned(),
            (Self::Api, Scene::Visit | Scene::FanOut) => "/bench/chat".to_owned(),
            (Self::Channel(_), Scene::FanOut) => "/all".to_owned(),
            (Self::Channel(next), Scene::Echo | Scene::Visit | Scene::Python | Scene::Invoke) => {
                format!("/{}", next.fetch_add(1, Ordering::Relaxed))
            }
        }
    }
}

impl Running {
    /// Processor time that all processes have used.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        self.processes.iter().map(Process::cpu).sum()
    }

    /// Bytes that the process which holds the sockets has resident.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        self.processes[0].memory()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        Process::end_all(&self.processes);
    }
}
