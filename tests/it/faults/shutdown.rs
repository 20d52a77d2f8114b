//! SIGTERM with thousands of clients: all see 1001, and nothing that is owed is lost.

use futures_util::future::join_all;
use nix::sys::signal::Signal;

use super::{
    crowd::connect,
    life::{Lives, PATH},
};
use crate::support::{backend::Reply, client::Client, process::Process};

const CLIENTS: usize = 2000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_sees_1001_and_is_cleaned_up() {
    let lives = Lives::new("").await;
    let gateway = lives.begin().await;
    let mut clients = connect(gateway.door("public"), PATH, CLIENTS).await;
    assert_eq!(clients.len(), CLIENTS);
    gateway.signal(Signal::SIGTERM);
    let codes = join_all(clients.iter_mut().map(Client::closed)).await;
    assert_eq!(codes, vec![1001; CLIENTS]);
    assert_eq!(gateway.ended().await.code(), Some(0));
    lives.backend.oracle().check();
    assert_eq!(lives.backend.oracle().cleaned_up(), CLIENTS);
}

/// The cleanup function is down: the gateway leaves all the same, and its next life delivers, with
/// the true reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_delivered_is_left_to_the_next_life() {
    const CLIENTS: usize = 100;
    let lives = Lives::new("").await;
    lives.backend.always("cleanup", Reply::status(503));
    let gateway = lives.begin().await;
    let clients = connect(gateway.door("public"), PATH, CLIENTS).await;
    Lives::end(gateway).await;
    drop(clients);
    assert_eq!(lives.backend.oracle().cleaned_up(), 0);
    lives.backend.always("cleanup", Reply::ok());
    while lives.backend.was_called("cleanup").await {
        lives.backend.next("cleanup").await;
    }
    let gateway = lives.begin().await;
    for _ in 0..CLIENTS {
        let call = lives.backend.next("cleanup").await;
        assert_eq!(call.websocket("closeReason"), "drain");
        let attempt: u32 = call.headers["x-longhold-attempt"].to_str().unwrap().parse().unwrap();
        assert!(attempt > 1);
    }
    Lives::end(gateway).await;
    lives.backend.oracle().check();
}

/// Whoever cannot wait asks a second time: the gateway is gone at once, and its next life delivers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_it_at_once_and_nothing_is_lost() {
    const CLIENTS: usize = 100;
    let drain = "drain = { delay = '10m', timeout = '1h' }";
    let lives = Lives::with(drain, "timeout = '1s'").await;
    let gateway = lives.begin().await;
    let clients = connect(gateway.door("public"), PATH, CLIENTS).await;
    end_at_once(gateway).await;
    assert_eq!(lives.backend.oracle().cleaned_up(), 0);
    drop(clients);
    let gateway = lives.begin().await;
    for _ in 0..CLIENTS {
        assert_eq!(lives.backend.next("cleanup").await.websocket("closeReason"), "crash");
    }
    end_at_once(gateway).await;
    lives.backend.oracle().check_at_least_once();
}

/// Asks it to stop, and waits until it says that it does.
async fn begin_drain(gateway: &Process) {
    let ready = format!("http://{}/readyz", gateway.door("internal"));
    gateway.signal(Signal::SIGTERM);
    while reqwest::get(&ready).await.unwrap().status() != 503 {}
}

async fn end_at_once(gateway: Process) {
    begin_drain(&gateway).await;
    gateway.signal(Signal::SIGTERM);
    assert_eq!(gateway.ended().await.code(), Some(1));
}

/// So it does not try one after another of those that have no place in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_is_down_holds_no_backlog_up() {
    const CLIENTS: usize = 200;
    let tables = "cleanup = { queue = 10, concurrency = 10 }\ndrain = { timeout = '15m' }";
    let lives = Lives::new(tables).await;
    lives.backend.always("cleanup", Reply::status(503));
    let gateway = lives.begin().await;
    let clients = connect(gateway.door("public"), PATH, CLIENTS).await;
    Lives::end(gateway).await;
    drop(clients);
    while lives.backend.was_called("cleanup").await {
        lives.backend.next("cleanup").await;
    }
    lives.backend.always("cleanup", Reply::ok());
    let gateway = lives.begin().await;
    for _ in 0..CLIENTS {
        assert_eq!(lives.backend.next("cleanup").await.websocket("closeReason"), "drain");
    }
    Lives::end(gateway).await;
    lives.backend.oracle().check();
}

/// A drain that takes longer than `cleanup.max_age` gives nothing up.
#[tokio::test]
async fn a_drain_makes_no_dead_letters() {
    let lives = Lives::new("cleanup = { max_age = '300ms' }").await;
    lives.backend.always("cleanup", Reply::status(500));
    let gateway = lives.begin().await;
    let mut client = Client::connect(gateway.door("public"), PATH).await.unwrap();
    gateway.signal(Signal::SIGTERM);
    assert_eq!(client.closed().await, 1001);
    assert_eq!(gateway.ended().await.code(), Some(0));
    lives.backend.always("cleanup", Reply::ok());
    let gateway = lives.begin().await;
    lives.backend.oracle().all_cleaned_up().await;
    Lives::end(gateway).await;
}

/// Clients are taken in for as long as a balancer may not have noticed.
#[tokio::test]
async fn clients_are_served_while_the_drain_is_delayed() {
    let lives = Lives::new("drain = { delay = '2s', spread = '0s' }").await;
    let gateway = lives.begin().await;
    begin_drain(&gateway).await;
    let mut client = Client::connect(gateway.door("public"), PATH).await.unwrap();
    client.send("hello").await;
    assert_eq!(lives.backend.next("transmit").await.data(), "hello");
    assert_eq!(client.closed().await, 1001);
    assert_eq!(gateway.ended().await.code(), Some(0));
}
