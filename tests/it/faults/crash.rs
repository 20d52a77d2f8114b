//! `kill -9` of the gateway: whatever was owed is delivered by the next life.

use std::{net::SocketAddr, time::Duration};

use futures_util::SinkExt;
use nix::sys::signal::Signal;
use tokio::time::sleep;

use super::{
    crowd::{chance, connect},
    life::{Lives, PATH},
};
use crate::support::{backend::Reply, client::Client};

const CLIENTS: usize = 2000;
const LIVES: usize = 20;
/// The longest that a register or transmit takes, in milliseconds; one of eight takes its time.
const WORK: u64 = 400;
/// The `timeout` of the API. What the next life does not know about may run for so long.
const TIMEOUT: &str = "timeout = '3s'";

/// Twenty times, at any instant from the first handshake to the departure of the last client. Every
/// other kill comes while all are being opened; every other when all are open, and some speak, some
/// leave, some come. Functions take some time, so that each kill finds many at work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_each_kill_everything_that_was_owed_is_delivered() {
    let lives = Lives::with("", TIMEOUT).await;
    let oracle = lives.backend.oracle();
    for function in ["register", "transmit"] {
        lives.backend.on(function, |_| async {
            if fastrand::u8(0..8) == 0 {
                sleep(Duration::from_millis(fastrand::u64(0..WORK))).await;
            }
            Reply::ok()
        });
    }
    let mut chance = chance();
    for life in 0..LIVES {
        let gateway = lives.begin().await;
        let address = gateway.door("public");
        let busy = if life % 2 == 0 {
            let clients = connect(address, PATH, CLIENTS);
            tokio::spawn(async move { be_busy(address, clients.await).await })
        } else {
            let clients = connect(address, PATH, CLIENTS).await;
            assert_eq!(clients.len(), CLIENTS);
            tokio::spawn(be_busy(address, clients))
        };
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
    assert!(registered >= LIVES / 2 * CLIENTS);
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
