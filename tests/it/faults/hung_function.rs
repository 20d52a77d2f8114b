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
use crate::support::{backend::Reply, client::Client, process::Process, soon, world::data_send};

const CLIENTS: usize = 150;
/// Large messages of each client.
const MESSAGES: usize = 2;
const BYTES: usize = 128 << 10;
/// The length of the longest small message.
const SMALL_BYTES: usize = 64 << 10;
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

/// The gateway takes no more large messages of an API than half of `receive_memory` holds, whether
/// they are being received, wait, or are with the function. A client with short messages does not
/// notice, and no message is lost.
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
    // The API may take half of the memory. One of the messages of a client is with the function.
    for _ in 0..MEMORY / 2 / BYTES / MESSAGES {
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
    assert!(peak <= MEMORY / 2 / BYTES, "{peak} messages at once");
    assert_eq!(running.load(Ordering::Relaxed), 0);
    assert_eq!(gate.available_permits(), 0, "each message has reached the function once");
    drop(good);
    GatewayRuns::end(gateway).await;
}

/// The path of the API whose function answers.
const GOOD_PATH: &str = "/release/good";

/// One API may take half of the memory, also of that for small messages. The function of the other
/// API answers clients while those of the first hold all that they can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_another_api_are_answered_meanwhile() {
    let settings = format!("connection = {{ receive_memory = {MEMORY}, read_timeout = '10m' }}");
    let good_api = format!(
        "timeout = '60s'
        [[api]]
        id = 'api-good'
        path = '{GOOD_PATH}'
        transmit = 'BACKEND/transmit'
        reply = true"
    );
    let runs = GatewayRuns::with(&settings, &good_api).await;
    let gateway = runs.start().await;
    let gate = Arc::new(Semaphore::new(0));
    let closed = Arc::clone(&gate);
    runs.backend.on("transmit", move |call| {
        let gate = Arc::clone(&closed);
        async move {
            if call.data().starts_with("hung") {
                gate.acquire().await.unwrap().forget();
                return Reply::ok();
            }
            Reply::json(&data_send(call.id(), call.data()))
        }
    });
    let clients = connect(gateway.address("public"), PATH, CLIENTS).await;
    assert_eq!(clients.len(), CLIENTS);
    // Half of the clients hold memory for large messages, half of them memory for small ones.
    let sending: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(number, mut client)| {
            let bytes = if number % 2 == 0 { BYTES } else { SMALL_BYTES };
            tokio::spawn(async move {
                let message = format!("hung{}", "x".repeat(bytes - 4));
                client.socket.send(message.into()).await.unwrap();
                client
            })
        })
        .collect();
    // So many large and small messages fit into the half of one API.
    let (mut large, mut small) = (MEMORY / 2 / BYTES, MEMORY / 8 / 2 / SMALL_BYTES);
    while large > 0 || small > 0 {
        let bytes = runs.backend.next("transmit").await.data().len();
        let left = if bytes == BYTES { &mut large } else { &mut small };
        *left = left.saturating_sub(1);
    }
    let mut good = Client::connect(gateway.address("public"), GOOD_PATH).await.unwrap();
    for _ in 0..EXCHANGES / 10 {
        for bytes in [100, 20_000, 100_000] {
            let message = "y".repeat(bytes);
            good.send(message.clone()).await;
            assert_eq!(good.receive_text().await, message);
        }
    }

    gate.add_permits(CLIENTS);
    for client in soon("the end of all sends", join_all(sending)).await {
        client.unwrap().close(CloseCode::Normal).await;
    }
    good.close(CloseCode::Normal).await;
    GatewayRuns::end(gateway).await;
}
