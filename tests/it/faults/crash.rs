//! `kill -9` of the gateway: whatever was owed is delivered by the next life.

use std::net::SocketAddr;

use futures_util::SinkExt;
use nix::sys::signal::Signal;

use super::{
    crowd::{chance, connect},
    life::{Lives, PATH},
};
use crate::support::client::Client;

const CLIENTS: usize = 2000;
const LIVES: usize = 20;

/// Twenty times, at an instant between the first handshake and the departure of the last client:
/// some clients are being registered then, some speak, some leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_each_kill_everything_that_was_owed_is_delivered() {
    let lives = Lives::new("").await;
    let oracle = lives.backend.oracle();
    let mut chance = chance();
    for _ in 0..LIVES {
        let gateway = lives.begin().await;
        let address = gateway.door("public");
        let clients = connect(address, PATH, CLIENTS).await;
        assert_eq!(clients.len(), CLIENTS);
        let busy = tokio::spawn(be_busy(address, clients));
        oracle.called_times(oracle.calls() + chance.usize(0..CLIENTS)).await;
        gateway.signal(Signal::SIGKILL);
        gateway.ended().await;
        busy.await.unwrap();
    }
    let gateway = lives.begin().await;
    oracle.all_cleaned_up().await;
    Lives::end(gateway).await;
    oracle.check_at_least_once();
    let (registered, cleaned_up) = (oracle.registered(), oracle.cleaned_up());
    eprintln!("{LIVES} kills: {registered} connections, {cleaned_up} cleaned up");
    assert!(registered >= LIVES * CLIENTS);
}

/// Of every four clients two stay, one speaks, one leaves; and others come and go.
async fn be_busy(address: SocketAddr, clients: Vec<Client>) {
    let mut staying = Vec::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        match number % 4 {
            0 => drop(client),
            1 => {
                // Fails once the gateway is dead.
                let _ = client.socket.send("hello".into()).await;
                staying.push(client);
            }
            _ => staying.push(client),
        }
    }
    connect(address, PATH, CLIENTS / 2).await;
}
