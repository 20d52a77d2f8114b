//! Runs of one gateway: the real binary, started several times on the same journal.

use std::fs;

use tempfile::TempDir;

use crate::support::{backend::Backend, process::Process};

/// The path of the gateway's one API, `api-test`.
pub(super) const PATH: &str = "/release/test";

/// The folder and the functions of a gateway, which are the same in all its runs.
pub(super) struct GatewayRuns {
    pub(super) backend: Backend,
    pub(super) folder: TempDir,
}

impl GatewayRuns {
    /// `tables` are additional lines for the settings. `BACKEND` in them stands for the URL of the
    /// functions.
    pub(super) async fn new(tables: &str) -> Self {
        Self::with(tables, "").await
    }

    /// Like [`Self::new`]. `api` has additional lines for the table of the API.
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

    /// Starts a run.
    pub(super) async fn start(&self) -> Process {
        Process::start("gateway", &[], self.folder.path(), &[]).await
    }

    /// Ends a run with SIGTERM, which must succeed.
    pub(super) async fn end(gateway: Process) {
        assert_eq!(gateway.stopped().await.code(), Some(0));
    }
}
