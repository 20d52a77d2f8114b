//! The real program, with settings for tests.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::support::process::Process;

pub(super) const BUCKET: &str = "chat-1250000000";
pub(super) const SECRET_ID: &str = "AKIDtests";
pub(super) const SECRET_KEY: &str = "secret-key-of-the-tests";

/// A folder for an object store, which is the same in all its runs.
pub(super) struct Runs {
    pub(super) folder: TempDir,
}

impl Runs {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Starts a run. Requests need no signature.
    pub(super) async fn start(&self) -> Process {
        self.start_with("").await
    }

    /// Starts a run that checks signatures.
    pub(super) async fn start_with_credentials(&self) -> Process {
        self.start_with(&format!(
            "[[credentials]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key = \"{SECRET_KEY}\""
        ))
        .await
    }

    async fn start_with(&self, tables: &str) -> Process {
        write_settings(self.folder.path(), tables);
        Process::start("cos", &[], self.folder.path(), &[]).await
    }
}

/// Writes `cos.toml` into a folder.
pub(super) fn write_settings(folder: &Path, tables: &str) {
    let text =
        format!("listen.internal = \"127.0.0.1:0\"\nstore.buckets = [\"{BUCKET}\"]\n{tables}\n");
    fs::write(folder.join("cos.toml"), text).unwrap();
}

/// Ends a run with SIGTERM, which must succeed.
pub(super) async fn end(process: Process) {
    process.signal(Signal::SIGTERM);
    assert_eq!(process.ended().await.code(), Some(0));
}

/// The URL of an object, without the name of the cloud.
pub(super) fn url(address: SocketAddr, key: &str) -> String {
    format!("http://{address}/{BUCKET}/{key}")
}

/// A client that presents nothing.
pub(super) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

/// Like `soon`, for what takes as long as its bytes or its requests do.
pub(super) async fn long<T>(what: &str, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_mins(10);
    timeout(limit, future).await.unwrap_or_else(|_| panic!("{what} never came"))
}
