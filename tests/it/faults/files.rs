//! Open files: the gateway says how many it may need, and the calls of one API take no more than
//! they may.

use std::{fs, os::unix::fs::PermissionsExt};

use tempfile::TempDir;

use super::{crowd::connect, due::descriptors, runs::PATH};
use crate::support::{
    backend::Backend,
    between::{Between, Way},
    client::Client,
    process::Process,
};

/// A folder with settings of two APIs. The transmit function of the first is `transmit`.
fn folder(backend: &Backend, transmit: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
            listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
            connection.max = 200
            [[api]]
            id = "api-slow"
            path = "/release/slow"
            transmit = "{transmit}"
            timeout = "5m"
            transmit_concurrency = 20
            [[api]]
            id = "api-test"
            path = "{PATH}"
            register = "{good}/register"
            transmit = "{good}/transmit"
            cleanup = "{good}/cleanup"
            "#,
        good = backend.url,
    );
    fs::write(folder.path().join("gateway.toml"), text).unwrap();
    folder
}

/// 150 clients of one API, whose function does not answer, have each sent a message. With a socket
/// for each call, no file would be left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_run_take_as_many_files_as_their_api_may_have_calls() {
    const CLIENTS: usize = 150;
    const CALLS: usize = 20;
    let backend = Backend::start().await;
    let between = Between::start(&backend, false).await;
    between.set(Way::Hang);
    let folder = folder(&backend, &format!("{}/transmit", between.url));
    let gateway = Process::start_after("ulimit -n 300", "gateway", folder.path()).await;
    let public = gateway.address("public");
    let calm = descriptors(&gateway);
    let mut slow = connect(public, "/release/slow", CLIENTS).await;
    assert_eq!(slow.len(), CLIENTS);
    for client in &mut slow {
        client.send("hello").await;
    }
    let mut good = Client::connect(public, PATH).await.unwrap();
    good.send("hello").await;
    assert_eq!(backend.next("transmit").await.data(), "hello");
    let taken = descriptors(&gateway) - calm;
    assert!(taken <= CLIENTS + CALLS + 16, "{taken}");
}

/// 200 clients; 2048 + 256 + 1 and 4096 + 256 + 1 connections of the listeners; calls: 20 and 16
/// late ones of the first API, and 2 * 200 + 64 and 3 * 16 of the second; and 64 others.
#[tokio::test]
async fn a_limit_of_open_files_that_is_too_low_is_said_at_the_start() {
    let backend = Backend::start().await;
    let folder = folder(&backend, &format!("{}/transmit", backend.url));
    let gateway = Process::start_after("ulimit -n 7000", "gateway", folder.path()).await;
    let needed = 200 + 2305 + 4353 + (20 + 16) + (2 * 200 + 64 + 3 * 16) + 64;
    let text = format!(
        "the system allows too few open files for what is configured: 7000, and {needed} may be \
         needed; raise the hard limit, or lower connection.max or the limits of apis"
    );
    gateway.logged(&text).await;
}

#[tokio::test]
async fn a_limit_of_open_files_that_is_too_low_for_the_runner_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let text = "listen.internal = '127.0.0.1:0'\n\
        [functions.one]\nruntime = 'custom'\ncode = '.'\nmax_instances = 100\n";
    fs::write(folder.path().join("functions.toml"), text).unwrap();
    let bootstrap = folder.path().join("bootstrap");
    fs::write(&bootstrap, "#!/bin/sh\n").unwrap();
    fs::set_permissions(bootstrap, fs::Permissions::from_mode(0o755)).unwrap();
    let runner = Process::start_after("ulimit -n 17000", "function-runner", folder.path()).await;
    let needed = 16_384 + 256 + 1 + 8 * 100 + 64;
    runner.logged(&format!("17000, and {needed} may be needed")).await;
}
