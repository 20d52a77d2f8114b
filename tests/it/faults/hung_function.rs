//! A function that does not answer, and clients that send it large messages.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{SinkExt, future::join_all};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};

use super::{
    crowd::connect,
    runs::{GatewayRuns, PATH},
};
use crate::support::{backend::Reply, client::Client, process::Process, soon};

const CLIENTS: usize = 150;
/// Large messages of each client.
const MESSAGES: usize = 2;
const BYTES: usize = 128 << 10;
/// `connection.receive_memory` of the gateway.
const MEMORY: usize = 4 << 20;
/// Exchanges of a client with short messages while the function hangs.
const EXCHANGES: usize = 400;

/// Resident memory of a process, in bytes.
fn memory(process: &Process) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// The gateway takes no more large messages than `receive_memory` holds, whether they are being
/// received, wait, or are with the function. A client with short messages does not notice, and no
/// message is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_count_as_received_until_their_calls_have_ended() {
    let settings = format!("connection = {{ receive_memory = {MEMORY}, read_timeout = '10m' }}");
    let runs = GatewayRuns::with(&settings, "timeout = '60s'").await;
    let gateway = runs.start().await;
    let (gate, running) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let peak = Arc::new(AtomicUsize::new(0));
    let (closed, counts) = (Arc::clone(&gate), (Arc::clone(&running), Arc::clone(&peak)));
    runs.backend.on("transmit", move |call| {
        let (gate, (running, peak)) = (Arc::clone(&closed), counts.clone());
        async move {
            if call.data().len() >= BYTES {
                peak.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                gate.acquire().await.unwrap().forget();
                running.fetch_sub(1, Ordering::Relaxed);
            }
            Reply::ok()
        }
    });
    let clients = connect(gateway.address("public"), PATH, CLIENTS).await;
    assert_eq!(clients.len(), CLIENTS);
    let before = memory(&gateway);
    let sending: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            tokio::spawn(async move {
                for number in 0..MESSAGES {
                    let message = Message::Binary(vec![number as u8; BYTES].into());
                    client.socket.send(message).await.unwrap();
                }
                client
            })
        })
        .collect();
    for _ in 0..MEMORY / BYTES / 2 {
        assert!(runs.backend.next("transmit").await.data().len() >= BYTES);
    }
    let mut good = Client::connect(gateway.address("public"), PATH).await.unwrap();
    for _ in 0..EXCHANGES {
        good.send("short").await;
        while runs.backend.next("transmit").await.data() != "short" {}
    }
    let grown = memory(&gateway).saturating_sub(before);
    eprintln!("memory grew by {} KiB", grown >> 10);

    gate.add_permits(CLIENTS * MESSAGES);
    let sent = soon("the end of all sends", join_all(sending)).await;
    // The cleanup comes after the last message of its client.
    join_all(sent.into_iter().map(|client| client.unwrap().close(CloseCode::Normal))).await;
    for _ in 0..CLIENTS {
        runs.backend.next("cleanup").await;
    }
    let peak = peak.load(Ordering::Relaxed);
    assert!(peak <= MEMORY / BYTES, "{peak} messages at once");
    assert_eq!(running.load(Ordering::Relaxed), 0);
    assert_eq!(gate.available_permits(), 0, "each message has reached the function once");
    drop(good);
    GatewayRuns::end(gateway).await;
}
