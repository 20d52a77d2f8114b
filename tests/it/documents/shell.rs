//! A `longhold` with a client in its chat, and the shell of a reader beside it.

use std::{path::Path, process::Stdio};

use tempfile::TempDir;
use tokio::process::Command;

use super::blocks::Block;
use crate::support::{client::Client, process::Process, soon};

/// The process that `cargo run` starts, in a folder of its own.
pub(super) struct Longhold {
    pub(super) process: Process,
    pub(super) folder: TempDir,
}

impl Longhold {
    pub(super) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), &[]).await
    }

    pub(super) async fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        let variables = [
            ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", "127.0.0.1:0"),
            ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", "127.0.0.1:0"),
            ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "127.0.0.1:0"),
            // Where the documents look for the token.
            ("LONGHOLD_GATEWAY__ACCESS__OPERATOR_FILE", "data/operator.token"),
            ("LONGHOLD_FUNCTION_RUNNER__ACCESS__OPERATOR_FILE", "data/operator.token"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ];
        let process = Process::start("longhold", arguments, folder.path(), &variables).await;
        Self { process, folder }
    }

    pub(super) async fn connect(&self, path: &str) -> Client {
        Client::connect(self.process.address("public"), path).await.unwrap()
    }

    /// The text with the addresses that this process has, in place of the default ones.
    pub(super) fn here(&self, text: &str) -> String {
        let addresses = [
            ("127.0.0.1:9000", "public"),
            ("127.0.0.1:9001", "internal"),
            ("127.0.0.1:9002", "function_runner"),
        ];
        addresses.iter().fold(text.to_owned(), |text, (default, name)| {
            text.replace(default, &self.process.address(name).to_string())
        })
    }

    /// What the commands of a block print when they are run here. They must work.
    pub(super) async fn run(&self, block: &Block) -> String {
        run(&self.here(&block.text), self.folder.path(), &block.place()).await
    }
}

/// Runs commands in a shell that stops at the first one that fails; what they print.
pub(super) async fn run(commands: &str, folder: &Path, place: &str) -> String {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", commands])
        .current_dir(folder)
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = soon("the end of a shell", output).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{place}: {commands}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}
