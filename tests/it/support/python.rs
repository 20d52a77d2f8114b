//! Python as an outside oracle: another implementation says what a correct client sends.

use std::process::Stdio;

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use super::soon;

/// Runs `script` in a Python of its own. It reads `input` as JSON from stdin, and prints JSON.
pub(crate) async fn run(python: &str, script: &str, input: &Value) -> Value {
    let mut child = Command::new(python)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // Dropped after it was written, which ends the input.
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).await.unwrap();
    let output = soon("the output of Python", child.wait_with_output()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The Python of the machine. In CI a missing one is a failure.
pub(crate) fn of_the_machine() -> Option<&'static str> {
    let version = std::process::Command::new("python3").arg("--version").output();
    if version.is_err() {
        skipped::without("python3 is missing");
        return None;
    }
    Some("python3")
}
