//! SIGTERM with thousands of clients: all see 1001, and no owed cleanup is lost.

use futures_util::future::join_all;
use nix::sys::signal::Signal;

use super::{
    crowd::connect,
    runs::{GatewayRuns, PATH},
};
use crate::support::{backend::Reply, client::Client, process::Process, soon};

const CLIENTS: usize = 2000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_sees_1001_and_is_cleaned_up() {
    let runs = GatewayRuns::new("").await;
    let gateway = runs.start().await;
    let mut clients = connect(gateway.address("public"), PATH, CLIENTS).await;
    assert_eq!(clients.len(), CLIENTS);
    gateway.signal(Signal::SIGTERM);
    let codes = join_all(clients.iter_mut().map(Client::closed)).await;
    assert_eq!(codes, vec![1001; CLIENTS]);
    assert_eq!(gateway.ended().await.code(), Some(0));
    runs.backend.oracle().check();
    assert_eq!(runs.backend.oracle().cleaned_up(), CLIENTS);
}

/// The cleanup function is down. The gateway ends all the same, and its next run delivers the
/// cleanups, with the original reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleanups_that_cannot_be_delivered_are_left_to_the_next_run() {
    const CLIENTS: usize = 100;
    // Each of them is tried in the drain.
    let runs = GatewayRuns::new("cleanup = { concurrency = 100 }").await;
    runs.backend.always("cleanup", Reply::status(503));
    let gateway = runs.start().await;
    let clients = connect(gateway.address("public"), PATH, CLIENTS).await;
    GatewayRuns::end(gateway).await;
    drop(clients);
    assert_eq!(runs.backend.oracle().cleaned_up(), 0);
    runs.backend.always("cleanup", Reply::ok());
    while runs.backend.was_called("cleanup").await {
        runs.backend.next("cleanup").await;
    }
    let gateway = runs.start().await;
    for _ in 0..CLIENTS {
        let call = runs.backend.next("cleanup").await;
        assert_eq!(call.websocket("closeReason"), "drain");
        let attempt: u32 = call.headers["x-longhold-attempt"].to_str().unwrap().parse().unwrap();
        assert!(attempt > 1);
    }
    GatewayRuns::end(gateway).await;
    runs.backend.oracle().check();
}

/// There are more of them than are taken out of the journal at once, and each has failed before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_cleanups_that_cannot_be_delivered_do_not_hold_a_shutdown() {
    const CLIENTS: usize = 600;
    let runs = GatewayRuns::new("drain = { timeout = '10m' }").await;
    runs.backend.always("cleanup", Reply::status(503));
    let gateway = runs.start().await;
    drop(connect(gateway.address("public"), PATH, CLIENTS).await);
    for _ in 0..CLIENTS {
        runs.backend.next("cleanup").await;
    }
    GatewayRuns::end(gateway).await;
}

/// The function has no capacity until the shutdown has cut the connection off. What has not begun
/// by then never begins: the cleanup would not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_without_a_turn_is_not_forwarded_after_the_cut() {
    let runs = GatewayRuns::with("drain = { timeout = '5s' }", "timeout = '1m'").await;
    runs.backend.always("transmit", Reply::status(429));
    let gateway = runs.start().await;
    let mut client = Client::connect(gateway.address("public"), PATH).await.unwrap();
    client.send("hello").await;
    runs.backend.next("transmit").await;
    gateway.signal(Signal::SIGTERM);
    client.closed().await;
    runs.backend.always("transmit", Reply::ok());
    while runs.backend.was_called("transmit").await {
        runs.backend.next("transmit").await;
    }
    runs.backend.next("cleanup").await;
    assert_eq!(gateway.ended().await.code(), Some(0));
    assert!(!runs.backend.was_called("transmit").await);
    runs.backend.oracle().check();
}

/// The next run delivers the owed cleanups.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_gateway_at_once_and_no_cleanup_is_lost() {
    const CLIENTS: usize = 100;
    let drain = "drain = { delay = '10m', timeout = '1h' }";
    let runs = GatewayRuns::with(drain, "function_timeout = '1s'").await;
    let gateway = runs.start().await;
    let clients = connect(gateway.address("public"), PATH, CLIENTS).await;
    end_at_once(gateway).await;
    assert_eq!(runs.backend.oracle().cleaned_up(), 0);
    drop(clients);
    let gateway = runs.start().await;
    for _ in 0..CLIENTS {
        assert_eq!(runs.backend.next("cleanup").await.websocket("closeReason"), "crash");
    }
    end_at_once(gateway).await;
    runs.backend.oracle().check_at_least_once();
}

/// Asks the gateway to stop, and waits until `/readyz` answers 503.
async fn begin_drain(gateway: &Process) {
    let ready = format!("http://{}/readyz", gateway.address("internal"));
    gateway.signal(Signal::SIGTERM);
    soon("the drain", async {
        while crate::support::access::get(&ready).await.unwrap().status() != 503 {}
    })
    .await;
}

async fn end_at_once(gateway: Process) {
    begin_drain(&gateway).await;
    assert_eq!(gateway.stopped().await.code(), Some(1));
}

/// With a function that is down, a drain does not try all cleanups of the backlog one after
/// another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_does_not_delay_a_drain_if_the_function_is_down() {
    const CLIENTS: usize = 200;
    let tables = "cleanup = { queue = 10, concurrency = 10 }\ndrain = { timeout = '15m' }";
    let runs = GatewayRuns::new(tables).await;
    runs.backend.always("cleanup", Reply::status(503));
    let gateway = runs.start().await;
    let clients = connect(gateway.address("public"), PATH, CLIENTS).await;
    GatewayRuns::end(gateway).await;
    drop(clients);
    while runs.backend.was_called("cleanup").await {
        runs.backend.next("cleanup").await;
    }
    runs.backend.always("cleanup", Reply::ok());
    let gateway = runs.start().await;
    for _ in 0..CLIENTS {
        assert_eq!(runs.backend.next("cleanup").await.websocket("closeReason"), "drain");
    }
    GatewayRuns::end(gateway).await;
    runs.backend.oracle().check();
}

/// The drain takes longer than `cleanup.max_age`.
#[tokio::test]
async fn a_drain_gives_up_no_cleanup() {
    let runs = GatewayRuns::new("cleanup = { max_age = '300ms' }").await;
    runs.backend.always("cleanup", Reply::status(500));
    let gateway = runs.start().await;
    let mut client = Client::connect(gateway.address("public"), PATH).await.unwrap();
    gateway.signal(Signal::SIGTERM);
    assert_eq!(client.closed().await, 1001);
    assert_eq!(gateway.ended().await.code(), Some(0));
    runs.backend.always("cleanup", Reply::ok());
    let gateway = runs.start().await;
    runs.backend.oracle().all_cleaned_up().await;
    GatewayRuns::end(gateway).await;
}

/// Clients are accepted during `drain.delay`, until a load balancer has noticed the drain.
#[tokio::test]
async fn clients_are_served_while_the_drain_is_delayed() {
    let runs = GatewayRuns::new("drain = { delay = '2s', spread = '0s' }").await;
    let gateway = runs.start().await;
    begin_drain(&gateway).await;
    let mut client = Client::connect(gateway.address("public"), PATH).await.unwrap();
    client.send("hello").await;
    assert_eq!(runs.backend.next("transmit").await.data(), "hello");
    assert_eq!(client.closed().await, 1001);
    assert_eq!(gateway.ended().await.code(), Some(0));
}
