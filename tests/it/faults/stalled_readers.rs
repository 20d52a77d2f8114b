//! Pushes at full speed to a thousand clients that read nothing.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, future::join_all};
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::{net::TcpSocket, task::JoinSet, time::interval};
use tokio_tungstenite::client_async;

use super::runs::{GatewayRuns, PATH};
use crate::support::{
    client::{Client, request},
    process::Process,
    soon,
    world::{closing, data_send},
};

const CLIENTS: usize = 1000;
/// Bytes of the first message, more than the system buffers for a client that reads nothing.
const FIRST: usize = 320 << 10;
/// Bytes of each other message.
const MESSAGE: usize = 16 << 10;
/// Messages to one client at once, in addition to the first one.
const AT_ONCE: usize = 20;
/// `push.timeout` of the gateway.
const TIMEOUT: Duration = Duration::from_secs(5);
/// `connection.send_queue` of the gateway.
const QUEUE: usize = 32 << 10;
/// The read buffer of an HTTP connection of the gateway. There is a connection for each unanswered
/// push, and a push that waits for memory holds the first piece of its body too.
const BUFFER: usize = 32 << 10;
/// Other memory that the gateway may use: `push.memory`, the same again for the parsed bodies, and
/// twice the same for memory that the allocator has not given back.
const OTHER_BYTES: usize = 4 * (16 << 20);

/// Resident memory of a process, in bytes.
fn memory(process: &Process) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

async fn connect(address: SocketAddr) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    // A small buffer, so that the system buffers little for the client.
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let (socket, response) = client_async(request(address, PATH), stream).await.unwrap();
    Client { socket, response }
}

/// Connects `count` clients. Returns them and their ids.
async fn connect_all(
    runs: &GatewayRuns,
    gateway: &Process,
    count: usize,
) -> (Vec<Client>, Vec<String>) {
    let (mut clients, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..count {
        clients.push(connect(gateway.address("public")).await);
        ids.push(runs.backend.next("register").await.id().to_owned());
    }
    (clients, ids)
}

/// Pushes messages, and counts those that were answered 0.
#[derive(Clone)]
struct CountingPusher {
    http: reqwest::Client,
    url: Arc<str>,
    written: Arc<AtomicUsize>,
    /// Answers 410: the client may have received these messages before the connection ended.
    gone: Arc<AtomicUsize>,
}

impl CountingPusher {
    fn to(gateway: &Process) -> Self {
        Self {
            http: crate::support::access::operator(),
            url: format!("http://{}/api-test", gateway.address("internal")).into(),
            written: Arc::default(),
            gone: Arc::default(),
        }
    }

    async fn push(&self, body: impl Into<reqwest::Body>) -> Value {
        let answer = self.http.post(&*self.url).body(body).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Pushes more to one client than can be buffered for it. Returns the pushes that have no
    /// answer yet.
    async fn fill(self, id: String) -> JoinSet<()> {
        let mut pushes = JoinSet::new();
        pushes.spawn(self.clone().batch(id.clone(), 1, FIRST));
        pushes.spawn(self.batch(id, AT_ONCE, MESSAGE));
        // The second push is answered when none of its messages is queued any more.
        pushes.join_next().await.unwrap().unwrap();
        pushes
    }

    /// Pushes `count` messages of `bytes` bytes each in one request.
    async fn batch(self, id: String, count: usize, bytes: usize) {
        let message = &data_send(&id, &"x".repeat(bytes))["websocket"];
        let body = Bytes::from(json!({ "websocket": vec![message; count] }).to_string());
        let failed = loop {
            let answer = self.push(body.clone()).await;
            // Otherwise there was no memory for the body, and the push is repeated.
            if answer["errNo"] == 0 {
                break answer["failed"].as_array().cloned().unwrap_or_default();
            }
            assert_eq!(answer["errNo"], 429, "{answer}");
        };
        for failed in &failed {
            match failed["errNo"].as_u64() {
                Some(410) => drop(self.gone.fetch_add(1, Ordering::Relaxed)),
                errno => assert_eq!(errno, Some(429), "{failed}"),
            }
        }
        self.written.fetch_add(count - failed.len(), Ordering::Relaxed);
    }
}

/// Reads until the gateway closes. Returns the number of messages.
async fn read(mut client: Client) -> usize {
    let mut count = 0;
    while let Some(Ok(message)) = soon("a message", client.socket.next()).await {
        count += usize::from(message.is_text());
    }
    count
}

/// Every push is answered 0, 429 or 410, and the clients receive exactly the messages that were
/// answered 0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded_and_every_answer_is_true() {
    let settings = format!(
        "connection = {{ send_queue = {QUEUE}, write_timeout = '10m', ping_interval = '10m' }}\n\
         push = {{ max_body = '4MiB', memory = '16MiB', timeout = '{TIMEOUT:?}' }}"
    );
    let runs = GatewayRuns::new(&settings).await;
    let gateway = runs.start().await;
    let (clients, ids) = connect_all(&runs, &gateway, CLIENTS).await;
    let before = memory(&gateway);
    let pusher = CountingPusher::to(&gateway);
    let (mut highest, mut unanswered) = (0, Vec::new());
    let mut filling: JoinSet<_> = ids.iter().map(|id| pusher.clone().fill(id.clone())).collect();
    let mut looks = interval(Duration::from_millis(20));
    loop {
        tokio::select! {
            filled = filling.join_next() => match filled {
                Some(pushes) => unanswered.push(pushes.unwrap()),
                None => break,
            },
            _ = looks.tick() => highest = highest.max(memory(&gateway)),
        }
    }
    let grown = highest.saturating_sub(before);
    let allowed = CLIENTS * (FIRST + QUEUE + 3 * BUFFER) + OTHER_BYTES;
    eprintln!("memory grew by {grown} of {allowed} bytes");
    assert!(grown < allowed, "memory grew by {grown}, allowed are {allowed}");

    let reading: Vec<_> = clients.into_iter().map(|client| tokio::spawn(read(client))).collect();
    for pushes in unanswered {
        pushes.join_all().await;
    }
    for id in &ids {
        assert_eq!(pusher.push(closing(id).to_string()).await["errNo"], 0);
    }
    let read: usize = join_all(reading).await.into_iter().map(Result::unwrap).sum();
    let written = pusher.written.load(Ordering::Relaxed);
    eprintln!("{written} pushes answered 0, {read} messages read");
    let gone = pusher.gone.load(Ordering::Relaxed);
    assert!((written..=written + gone).contains(&read), "{gone} were answered 410");
    GatewayRuns::end(gateway).await;
}

/// The payload is in memory once, however many clients do not read: for one push to many
/// connections, and for many pushes with equal payloads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_payload_of_a_push_to_many_is_in_memory_once() {
    const CLIENTS: usize = 200;
    const BYTES: usize = 1 << 20;
    const SAME: usize = 10;
    let settings = "push = { max_body = '32MiB', timeout = '1s' }";
    let runs = GatewayRuns::with(settings, "max_message = '1MiB'").await;
    let gateway = runs.start().await;
    let (clients, ids) = connect_all(&runs, &gateway, CLIENTS).await;
    let before = memory(&gateway);
    let pusher = CountingPusher::to(&gateway);
    let data = "x".repeat(BYTES);
    let mut message = data_send("", &data)["websocket"].take();
    message.as_object_mut().unwrap().remove("secConnectionID");
    message["secConnectionIDs"] = json!(ids);
    let begun =
        tokio::spawn(async move { pusher.push(json!({ "websocket": message }).to_string()).await });
    // These wait behind the first message and are withdrawn. Not for all clients, because the body
    // has the payload once for each.
    let same: Vec<_> =
        ids.iter().take(SAME).map(|id| data_send(id, &data)["websocket"].take()).collect();
    let answer = CountingPusher::to(&gateway).push(json!({ "websocket": same }).to_string()).await;
    assert_eq!(answer["failed"].as_array().unwrap().len(), SAME);
    let grown = memory(&gateway).saturating_sub(before);
    eprintln!("memory grew by {grown} bytes");
    assert!(grown < CLIENTS * BYTES / 2, "memory grew by {grown}");
    drop(clients);
    begun.await.unwrap();
    GatewayRuns::end(gateway).await;
}
