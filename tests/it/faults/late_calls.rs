//! Functions that are still at work when the gateway is gone: no cleanup of its next life overtakes
//! them.

use nix::sys::signal::Signal;

use super::{
    clock,
    crowd::connect,
    life::{Lives, PATH},
};
use crate::support::{backend::Reply, client::Client, process::Process};

/// A client that leaves, and whose cleanup fails. It is known how that connection ended, and that
/// nothing of it runs any more: the next life need not wait.
async fn leave(lives: &Lives, gateway: &Process) -> String {
    lives.backend.always("cleanup", Reply::status(500));
    let client = Client::connect(gateway.door("public"), PATH).await.unwrap();
    let id = lives.backend.next("register").await.id().to_owned();
    client.close(1000.into()).await;
    // Before the second attempt it was written down that there was a first.
    for _ in 0..2 {
        lives.backend.next("cleanup").await;
    }
    id
}

/// The next life, whose first cleanup has to be that of the client that had left.
async fn next_life(lives: &Lives, left: &str) -> Process {
    while lives.backend.was_called("cleanup").await {
        lives.backend.next("cleanup").await;
    }
    lives.backend.always("cleanup", Reply::ok());
    let gateway = lives.begin().await;
    let cleanup = lives.backend.next("cleanup").await;
    assert_eq!((cleanup.id(), cleanup.websocket("closeReason")), (left, "client"));
    gateway
}

/// Register and transmit are at work when the gateway is killed.
#[tokio::test]
async fn what_a_killed_gateway_had_called_ends_before_its_cleanup() {
    let lives = Lives::with("", "timeout = '3s'").await;
    let gateway = lives.begin().await;
    let transmits = lives.backend.hold("transmit");
    let mut speaking = Client::connect(gateway.door("public"), PATH).await.unwrap();
    lives.backend.next("register").await;
    speaking.send("hello").await;
    lives.backend.next("transmit").await;
    let registers = lives.backend.hold("register");
    let address = gateway.door("public");
    let coming = tokio::spawn(async move { connect(address, PATH, 1).await });
    lives.backend.next("register").await;
    lives.backend.always("register", Reply::ok());
    let left = leave(&lives, &gateway).await;
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    coming.await.unwrap();

    let gateway = next_life(&lives, &left).await;
    registers.notify_one();
    transmits.notify_one();
    lives.backend.oracle().all_cleaned_up().await;
    for _ in 0..2 {
        assert_eq!(lives.backend.next("cleanup").await.websocket("closeReason"), "crash");
    }
    Lives::end(gateway).await;
    lives.backend.oracle().check();
}

/// Its time ran out, so the client was told; then the gateway was shut down in order, and no drain
/// waits that long.
#[tokio::test]
async fn a_transmit_that_outlives_a_drain_ends_before_its_cleanup() {
    let lives = Lives::with("drain = { timeout = '1s' }", "timeout = '300ms'").await;
    let gateway = lives.begin().await;
    let transmits = lives.backend.hold("transmit");
    let mut speaking = Client::connect(gateway.door("public"), PATH).await.unwrap();
    lives.backend.next("register").await;
    speaking.send("hello").await;
    assert_eq!(speaking.closed().await, 1011);
    let left = leave(&lives, &gateway).await;
    Lives::end(gateway).await;

    // As long as a function may run at all it is waited for, by a life that comes and goes too.
    let gateway = next_life(&lives, &left).await;
    let url = format!("http://{}/cleanups", gateway.door("internal"));
    while !reqwest::get(&url).await.unwrap().text().await.unwrap().contains(r#""owed":1,"#) {}
    Lives::end(gateway).await;
    assert!(!lives.backend.was_called("cleanup").await);
    transmits.notify_one();
    if clock::is_missing() {
        return;
    }
    let later = [
        ("LD_PRELOAD", clock::LIBRARY),
        ("FAKETIME", "+16m"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let gateway = Process::start("gateway", &[], lives.folder.path(), &later).await;
    let cleanup = lives.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "fault");
    assert_eq!(cleanup.websocket("closeCode"), "1011");
    Lives::end(gateway).await;
    lives.backend.oracle().check();
}
