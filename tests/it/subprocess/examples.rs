//! The examples behave like the Rust functions.

use std::{fs, path::Path};

use nix::sys::signal::Signal;

use super::functions::has;
use crate::support::{client::Client, process::Process};

/// Starts the example, with ports that the system chooses.
async fn start(name: &str, variables: &[(&str, &str)]) -> Process {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = format!("examples/{name}");
    let ports = [
        ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", "127.0.0.1:0"),
        ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", "127.0.0.1:0"),
        ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "127.0.0.1:0"),
        // Another example may run at the same time, from the same folder.
        ("LONGHOLD_GATEWAY__JOURNAL__SYNC", "off"),
    ];
    let variables = [&ports, variables].concat();
    Process::start("longhold", &["--config-dir", &folder], root, &variables).await
}

async fn check_chat(language: &str) {
    if !has(language) {
        return;
    }
    // Not in /tmp: each instance has its own /tmp.
    let roster = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = roster.path().to_str().unwrap();
    let variables = ["REGISTER", "TRANSMIT", "CLEANUP"].map(|name| {
        format!("LONGHOLD_FUNCTION_RUNNER__FUNCTIONS__CHAT_{name}__ENVIRONMENT__ROSTER")
    });
    let variables: Vec<_> = variables.iter().map(|name| (name.as_str(), path)).collect();
    let longhold = start(&format!("{language}-chat"), &variables).await;
    let address = longhold.address("public");
    let mut anna = Client::connect(address, "/release/chat").await.unwrap();
    let mut ben = Client::connect(address, "/release/chat").await.unwrap();
    anna.send("hello \u{4f60}").await;
    assert_eq!(ben.receive_text().await, "hello \u{4f60}(===Online people:2===)");
    ben.send("hi").await;
    assert_eq!(anna.receive_text().await, "hi(===Online people:2===)");
    // As the page connects.
    let mut cara = Client::connect(address, "/release/chat?online=1").await.unwrap();
    assert_eq!(cara.receive_text().await, "(===Online people:3===)");
    longhold.signal(Signal::SIGTERM);
    assert_eq!(cara.closed().await, 1001);
    assert_eq!((anna.closed().await, ben.closed().await), (1001, 1001));
    assert_eq!(longhold.ended().await.code(), Some(0));
    assert_eq!(fs::read_dir(roster.path()).unwrap().count(), 0, "the roster is not empty");
}

#[tokio::test]
async fn the_chat_in_python_works() {
    check_chat("python").await;
}

#[tokio::test]
async fn the_chat_in_node_works() {
    check_chat("node").await;
}

#[tokio::test]
async fn the_echo_in_bash_works() {
    if !has("bash") {
        return;
    }
    let longhold = start("bash-echo", &[]).await;
    let mut client = Client::connect(longhold.address("public"), "/release/echo").await.unwrap();
    client.send("hello \u{4f60}").await;
    assert_eq!(client.receive_text().await, "hello \u{4f60}");
    longhold.signal(Signal::SIGTERM);
    assert_eq!(client.closed().await, 1001);
    assert_eq!(longhold.ended().await.code(), Some(0));
}
