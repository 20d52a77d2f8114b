//! `kill -9` of the gateway: the next run delivers all owed cleanups.

use std::{env, net::SocketAddr, time::Duration};

use futures_util::SinkExt;
use nix::sys::signal::Signal;
use tokio::time::sleep;

use super::{
    crowd::{chance, connect},
    runs::{GatewayRuns, PATH},
};
use crate::support::{backend::Reply, client::Client};

const CLIENTS: usize = 2000;
/// How often the gateway is killed; `LONGHOLD_KILLS` sets another number.
const KILLS: usize = 6;
/// The longest duration of register and transmit, in milliseconds. One call of eight is slow.
const WORK: u64 = 400;
/// The next run waits this long for calls of the killed gateway.
const TIMEOUT: &str = "function_timeout = '3s'";

/// The gateway is killed again and again, at random moments. Every other kill comes while all
/// connections are being opened; the others come when all are open, and some clients send, some
/// leave and some connect. Functions take some time, so that each kill finds calls in flight.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_each_kill_all_owed_cleanups_are_delivered() {
    let runs = GatewayRuns::with("", TIMEOUT).await;
    let oracle = runs.backend.oracle();
    for function in ["register", "transmit"] {
        runs.backend.on(function, |_| async {
            if fastrand::u8(0..8) == 0 {
                sleep(Duration::from_millis(fastrand::u64(0..WORK))).await;
            }
            Reply::ok()
        });
    }
    let mut chance = chance();
    let kills = env::var("LONGHOLD_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    for run in 0..kills {
        let gateway = runs.start().await;
        let address = gateway.address("public");
        let busy = if run % 2 == 0 {
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
    let gateway = runs.start().await;
    oracle.all_cleaned_up().await;
    GatewayRuns::end(gateway).await;
    oracle.check_at_least_once();
    let (registered, cleaned_up) = (oracle.registered(), oracle.cleaned_up());
    eprintln!("{kills} kills: {registered} connections, {cleaned_up} cleaned up");
    assert!(registered >= kills / 2 * CLIENTS);
}

/// Of every four clients one leaves, one sends a message, and two send nothing. Then other clients
/// connect and leave.
async fn be_busy(address: SocketAddr, clients: Vec<Client>) {
    let mut staying = Vec::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        match number % 4 {
            0 => drop(client),
            1 => {
                // An error means that the gateway is dead.
                let _ = client.socket.send("hello".into()).await;
                staying.push(client);
            }
            _ => staying.push(client),
        }
    }
    connect(address, PATH, CLIENTS / 2).await;
}
