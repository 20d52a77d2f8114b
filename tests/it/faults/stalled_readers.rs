//! A thousand clients that read nothing are pushed to at full speed.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::Value;
use tokio::{net::TcpSocket, task::JoinSet};
use tokio_tungstenite::{client_async, tungstenite::Message};

use super::life::{Lives, PATH};
use crate::support::{
    client::{Client, request},
    process::Process,
    soon,
    world::{closing, data_send},
};

const CLIENTS: usize = 1000;
/// Bytes of one message.
const MESSAGE: usize = 32 << 10;
/// `connection.send_queue` of the gateway.
const QUEUE: usize = 64 << 10;
/// What is written with one flush, in ARCHITECTURE.md.
const BATCH: usize = 64 << 10;
/// Pushes to one client at once.
const AT_ONCE: usize = 3;
/// Clients that are pushed to at once.
const FILLED_AT_ONCE: usize = 200;

/// Resident memory of a process, in bytes.
fn memory(process: &Process) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

async fn connect(address: SocketAddr) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    // So that the system takes little in its name.
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let (socket, response) = client_async(request(address, PATH), stream).await.unwrap();
    Client { socket, response }
}

/// Pushes messages, and counts those that were answered 0.
#[derive(Clone)]
struct Pusher {
    http: reqwest::Client,
    url: Arc<str>,
    text: Arc<str>,
    written: Arc<AtomicUsize>,
}

impl Pusher {
    async fn errno(&self, body: Value) -> u64 {
        let answer = self.http.post(&*self.url).body(body.to_string()).send().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        answer["errNo"].as_u64().unwrap()
    }

    /// Whether it was written; if not the client reads too slowly.
    async fn push(self, id: String) -> bool {
        match self.errno(data_send(&id, &self.text)).await {
            0 => {
                self.written.fetch_add(1, Ordering::Relaxed);
                true
            }
            429 => false,
            other => panic!("{other}"),
        }
    }

    /// Pushes to one client until it takes no more; the pushes that have no answer yet.
    async fn fill(&self, id: &str) -> JoinSet<bool> {
        let mut pushes = JoinSet::new();
        loop {
            while pushes.len() < AT_ONCE {
                pushes.spawn(self.clone().push(id.to_owned()));
            }
            if !pushes.join_next().await.unwrap().unwrap() {
                return pushes;
            }
        }
    }
}

/// Reads until the gateway closes; how many messages there were.
async fn read(mut client: Client) -> usize {
    let mut count = 0;
    while let Some(Ok(message)) = soon("a message", client.socket.next()).await {
        if let Message::Text(text) = message {
            assert_eq!(text.len(), MESSAGE);
            count += 1;
        }
    }
    count
}

/// Every push is answered 0 or 429, and those that were answered 0 are what arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded_and_every_answer_is_true() {
    let settings = format!("connection = {{ send_queue = {QUEUE}, write_timeout = '10m' }}");
    let lives = Lives::new(&settings).await;
    let gateway = lives.begin().await;
    let (mut clients, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..CLIENTS {
        clients.push(connect(gateway.door("public")).await);
        ids.push(lives.backend.next("register").await.id().to_owned());
    }
    let before = memory(&gateway);
    let pusher = Pusher {
        http: reqwest::Client::new(),
        url: format!("http://{}/api-test", gateway.door("internal")).into(),
        text: "x".repeat(MESSAGE).into(),
        written: Arc::default(),
    };
    let mut highest = 0;
    let mut unanswered = Vec::new();
    let mut filling = stream::iter(&ids).map(|id| pusher.fill(id)).buffer_unordered(FILLED_AT_ONCE);
    while let Some(pushes) = filling.next().await {
        unanswered.push(pushes);
        highest = highest.max(memory(&gateway));
    }
    drop(filling);
    let grown = highest.saturating_sub(before);
    let allowed = CLIENTS * (QUEUE + BATCH + AT_ONCE * 2 * MESSAGE);
    eprintln!("memory grew by {grown} of {allowed} bytes");
    assert!(grown < allowed, "memory grew by {grown}, allowed are {allowed}");

    let reading: Vec<_> = clients.into_iter().map(|client| tokio::spawn(read(client))).collect();
    for pushes in unanswered {
        pushes.join_all().await;
    }
    for id in &ids {
        assert_eq!(pusher.errno(closing(id)).await, 0);
    }
    let read: usize = join_all(reading).await.into_iter().map(Result::unwrap).sum();
    let written = pusher.written.load(Ordering::Relaxed);
    eprintln!("{written} pushes answered 0, {read} messages read");
    assert_eq!(written, read);
    Lives::end(gateway).await;
}
