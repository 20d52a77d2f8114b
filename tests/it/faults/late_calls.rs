//! Functions that still run when the gateway has ended: the next run calls cleanup after their end.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::{
    clock,
    crowd::connect,
    runs::{GatewayRuns, PATH},
};
use crate::support::{backend::Reply, client::Client, process::Process, soon};

/// A client leaves, and its cleanup fails. The journal knows how the connection ended and that none
/// of its calls still runs, so the next run delivers this cleanup at once.
async fn leave(runs: &GatewayRuns, gateway: &Process) -> String {
    runs.backend.always("cleanup", Reply::status(500));
    let client = Client::connect(gateway.address("public"), PATH).await.unwrap();
    let id = runs.backend.next("register").await.id().to_owned();
    client.close(1000.into()).await;
    // The first attempt is written to the journal before the second one is made.
    for _ in 0..2 {
        runs.backend.next("cleanup").await;
    }
    id
}

/// Starts the next run, whose first cleanup must be the one of the client that had left.
async fn next_run(runs: &GatewayRuns, left: &str) -> Process {
    while runs.backend.was_called("cleanup").await {
        runs.backend.next("cleanup").await;
    }
    runs.backend.always("cleanup", Reply::ok());
    let gateway = runs.start().await;
    let cleanup = runs.backend.next("cleanup").await;
    assert_eq!((cleanup.id(), cleanup.websocket("closeReason")), (left, "client"));
    gateway
}

/// The gateway is killed while register and transmit run. The next run waits for them, for as long
/// as a function may run and not only for the `timeout` of the API.
#[tokio::test]
async fn calls_of_a_killed_gateway_end_before_their_cleanup() {
    let runs = GatewayRuns::with("", "timeout = '4s'\nfunction_timeout = '8s'").await;
    let gateway = runs.start().await;
    let transmits = runs.backend.hold("transmit");
    let mut speaking = Client::connect(gateway.address("public"), PATH).await.unwrap();
    runs.backend.next("register").await;
    speaking.send("hello").await;
    runs.backend.next("transmit").await;
    let registers = runs.backend.hold("register");
    let address = gateway.address("public");
    let coming = tokio::spawn(async move { connect(address, PATH, 1).await });
    runs.backend.next("register").await;
    runs.backend.always("register", Reply::ok());
    let left = leave(&runs, &gateway).await;
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    coming.await.unwrap();

    let begin = Instant::now();
    let gateway = next_run(&runs, &left).await;
    registers.notify_one();
    transmits.notify_one();
    runs.backend.oracle().all_cleaned_up().await;
    for _ in 0..2 {
        assert_eq!(runs.backend.next("cleanup").await.websocket("closeReason"), "crash");
    }
    assert!(begin.elapsed() >= Duration::from_secs(8));
    GatewayRuns::end(gateway).await;
    runs.backend.oracle().check();
}

/// The call takes longer than its timeout, so the client sees 1011. Then the gateway drains, and
/// the drain does not wait for the call.
#[tokio::test]
async fn a_transmit_that_runs_longer_than_a_drain_ends_before_its_cleanup() {
    let runs = GatewayRuns::with("drain = { timeout = '1s' }", "timeout = '300ms'").await;
    let gateway = runs.start().await;
    let transmits = runs.backend.hold("transmit");
    let mut speaking = Client::connect(gateway.address("public"), PATH).await.unwrap();
    runs.backend.next("register").await;
    speaking.send("hello").await;
    assert_eq!(speaking.closed().await, 1011);
    let left = leave(&runs, &gateway).await;
    GatewayRuns::end(gateway).await;

    // The next run waits for the call too, and also drains without its end. The cleanup is due when
    // the longest timeout of a function has passed.
    let gateway = next_run(&runs, &left).await;
    let url = format!("http://{}/cleanups", gateway.address("internal"));
    soon("the owed cleanup", async {
        while !crate::support::access::get(&url)
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains(r#""owed":1,"#)
        {}
    })
    .await;
    GatewayRuns::end(gateway).await;
    assert!(!runs.backend.was_called("cleanup").await);
    transmits.notify_one();
    if clock::is_missing() {
        return;
    }
    let later = [
        ("LD_PRELOAD", clock::LIBRARY),
        ("FAKETIME", "+16m"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let gateway = Process::start("gateway", &[], runs.folder.path(), &later).await;
    let cleanup = runs.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "fault");
    assert_eq!(cleanup.websocket("closeCode"), "1011");
    GatewayRuns::end(gateway).await;
    runs.backend.oracle().check();
}
