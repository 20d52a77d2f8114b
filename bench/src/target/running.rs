//! A target that runs: where its clients connect, and what it uses.

use std::{net::SocketAddr, time::Duration};

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
#[derive(Debug, Clone, Copy)]
pub(crate) enum Paths {
    /// An API of Longhold.
    Api,
    /// The channel of the connection.
    Channel,
}

/// What clients do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scene {
    /// Each gets back what it sends.
    Echo,
    /// Each is registered and cleaned up, where there is such a thing.
    Visit,
}

impl Running {
    /// Where client `number` connects.
    pub(crate) fn path(&self, scene: Scene, number: usize) -> String {
        match (self.paths, scene) {
            (Paths::Api, Scene::Echo) => "/bench/echo".to_owned(),
            (Paths::Api, Scene::Visit) => "/bench/chat".to_owned(),
            (Paths::Channel, Scene::Echo | Scene::Visit) => format!("/{number}"),
        }
    }

    /// Processor time that all processes have used.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        self.processes.iter().map(Process::cpu).sum()
    }

    /// Bytes that the process which holds the sockets has resident.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        self.processes[0].memory()
    }
}
