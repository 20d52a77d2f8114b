//! The lives of one gateway: the real binary, started again and again on the same journal.

use std::fs;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::{backend::Backend, process::Process};

/// The path of its one API, `api-test`.
pub(super) const PATH: &str = "/release/test";

/// What outlives the process: its folder and the functions.
pub(super) struct Lives {
    pub(super) backend: Backend,
    pub(super) folder: TempDir,
}

impl Lives {
    /// `tables` are more lines for its settings; `BACKEND` in them stands for the URL of the
    /// functions.
    pub(super) async fn new(tables: &str) -> Self {
        Self::with(tables, "").await
    }

    /// The same; `api` has more lines for the table of its API.
    pub(super) async fn with(tables: &str, api: &str) -> Self {
        let backend = Backend::start().await;
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            r#"
            listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
            log = {{ filter = "error" }}
            {tables}
            [[api]]
            id = "api-test"
            path = "{PATH}"
            register = "BACKEND/register"
            transmit = "BACKEND/transmit"
            cleanup = "BACKEND/cleanup"
            {api}
            "#
        );
        fs::write(folder.path().join("gateway.toml"), text.replace("BACKEND", &backend.url))
            .unwrap();
        Self { backend, folder }
    }

    pub(super) async fn begin(&self) -> Process {
        Process::start("gateway", &[], self.folder.path(), &[]).await
    }

    /// Asks a life to end properly, and sees that it does.
    pub(super) async fn end(gateway: Process) {
        gateway.signal(Signal::SIGTERM);
        assert_eq!(gateway.ended().await.code(), Some(0));
    }
}
