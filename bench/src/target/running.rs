//! A running target: the address for its clients, its processor time and its memory.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;

use crate::process::ProcessTree;

/// The processes of one target. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct RunningTarget {
    /// The address for clients.
    pub(crate) public: SocketAddr,
    /// The first one holds the sockets.
    pub(crate) processes: Vec<ProcessTree>,
    pub(crate) paths: Paths,
    /// The folder with the settings and sockets of the processes.
    pub(crate) _folder: Option<TempDir>,
}

/// The meaning of the path of a URL.
#[derive(Debug, Clone)]
pub(crate) enum Paths {
    /// The path of an API of Longhold.
    Api,
    /// The channel of the client. Each client has a new channel: nginx with nchan sometimes crashes
    /// when a channel is used again soon.
    Channel(Arc<AtomicU64>),
}

/// What the clients do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scenario {
    /// Each client receives its own messages.
    Echo,
    /// Like `Echo`, by a function in Python.
    Python,
    /// A function in Python is called without a gateway.
    Invoke,
    /// All other clients receive the messages of one client.
    FanOut,
    /// Each client connects and closes, with register and cleanup if the target has them.
    Connect,
}

impl Paths {
    /// Paths with a channel for each client.
    pub(super) fn channels() -> Self {
        Self::Channel(Arc::default())
    }

    /// The path for the next client.
    pub(crate) fn next(&self, scenario: Scenario) -> String {
        match (self, scenario) {
            (Self::Api, Scenario::Echo) => "/bench/echo".to_owned(),
            (Self::Api, Scenario::Python | Scenario::Invoke) => "/bench/python".to_owned(),
            (Self::Api, Scenario::Connect | Scenario::FanOut) => "/bench/chat".to_owned(),
            (Self::Channel(_), Scenario::FanOut) => "/all".to_owned(),
            (
                Self::Channel(next),
                Scenario::Echo | Scenario::Connect | Scenario::Python | Scenario::Invoke,
            ) => {
                format!("/{}", next.fetch_add(1, Ordering::Relaxed))
            }
        }
    }
}

impl RunningTarget {
    /// The processor time that all processes have used.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        self.processes.iter().map(ProcessTree::cpu).sum()
    }

    /// The resident memory of the process that holds the sockets, in bytes.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        self.processes[0].memory()
    }
}

impl Drop for RunningTarget {
    fn drop(&mut self) {
        ProcessTree::end_all(&self.processes);
    }
}
