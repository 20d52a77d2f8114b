//! A thousand clients that read nothing are pushed to at full speed.

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

use super::life::{Lives, PATH};
use crate::support::{
    client::{Client, request},
    process::Process,
    soon,
    world::{closing, data_send},
};

const CLIENTS: usize = 1000;
/// Bytes of the first message, which are more than the system takes for a client that reads nothing.
const FIRST: usize = 320 << 10;
/// Bytes of each other message.
const MESSAGE: usize = 16 << 10;
/// Messages to one client that are on their way at once, beside the first one.
const AT_ONCE: usize = 20;
/// `push.timeout`: how long they wait.
const TIMEOUT: Duration = Duration::from_secs(5);
/// `connection.send_queue` of the gateway.
const QUEUE: usize = 32 << 10;
/// What each of its HTTP connections reads at once. A client has one for each unanswered push.
const BUFFER: usize = 32 << 10;
/// What the gateway may need beside: `push.memory`, as much for what was parsed of it, and as
/// much again for what the allocator cannot give back.
const BESIDE: usize = 4 * (16 << 20);

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

/// So many clients, and their ids.
async fn connect_all(lives: &Lives, gateway: &Process, count: usize) -> (Vec<Client>, Vec<String>) {
    let (mut clients, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..count {
        clients.push(connect(gateway.door("public")).await);
        ids.push(lives.backend.next("register").await.id().to_owned());
    }
    (clients, ids)
}

/// Pushes messages, and counts those that were answered 0.
#[derive(Clone)]
struct Pusher {
    http: reqwest::Client,
    url: Arc<str>,
    written: Arc<AtomicUsize>,
    /// Answers 410: the client may have got those messages before it went.
    gone: Arc<AtomicUsize>,
}

impl Pusher {
    fn to(gateway: &Process) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: format!("http://{}/api-test", gateway.door("internal")).into(),
            written: Arc::default(),
            gone: Arc::default(),
        }
    }

    async fn push(&self, body: impl Into<reqwest::Body>) -> Value {
        let answer = self.http.post(&*self.url).body(body).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Pushes to one client more than it takes, and goes on with it whatever the answers are. The
    /// pushes that have none yet.
    async fn fill(self, id: String) -> JoinSet<()> {
        let mut pushes = JoinSet::new();
        pushes.spawn(self.clone().batch(id.clone(), 1, FIRST));
        pushes.spawn(self.batch(id, AT_ONCE, MESSAGE));
        // The second one has an answer when none of its messages waits any more.
        pushes.join_next().await.unwrap().unwrap();
        pushes
    }

    /// Pushes so many messages at once, of so many bytes each.
    async fn batch(self, id: String, count: usize, bytes: usize) {
        let message = &data_send(&id, &"x".repeat(bytes))["websocket"];
        let body = Bytes::from(json!({ "websocket": vec![message; count] }).to_string());
        let failed = loop {
            let answer = self.push(body.clone()).await;
            // Otherwise there was no room for the body.
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

/// Reads until the gateway closes; how many messages there were.
async fn read(mut client: Client) -> usize {
    let mut count = 0;
    while let Some(Ok(message)) = soon("a message", client.socket.next()).await {
        count += usize::from(message.is_text());
    }
    count
}

/// Every push is answered 0, 429 or 410, and those that were answered 0 are what arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded_and_every_answer_is_true() {
    let settings = format!(
        "connection = {{ send_queue = {QUEUE}, write_timeout = '10m', ping_interval = '10m' }}\n\
         push = {{ max_body = '4MiB', memory = '16MiB', timeout = '{TIMEOUT:?}' }}"
    );
    let lives = Lives::new(&settings).await;
    let gateway = lives.begin().await;
    let (clients, ids) = connect_all(&lives, &gateway, CLIENTS).await;
    let before = memory(&gateway);
    let pusher = Pusher::to(&gateway);
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
    let allowed = CLIENTS * (FIRST + QUEUE + 2 * BUFFER) + BESIDE;
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
    Lives::end(gateway).await;
}

/// What goes to many is held once, however many of them do not take it: as one message to many
/// connections, and as many messages that say the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_to_many_is_held_once() {
    const CLIENTS: usize = 200;
    const BYTES: usize = 1 << 20;
    const SAME: usize = 10;
    let settings = "push = { max_body = '32MiB', timeout = '1s' }";
    let lives = Lives::with(settings, "max_message = '1MiB'").await;
    let gateway = lives.begin().await;
    let (clients, ids) = connect_all(&lives, &gateway, CLIENTS).await;
    let before = memory(&gateway);
    let pusher = Pusher::to(&gateway);
    let data = "x".repeat(BYTES);
    let mut message = data_send("", &data)["websocket"].take();
    message.as_object_mut().unwrap().remove("secConnectionID");
    message["secConnectionIDs"] = json!(ids);
    let begun =
        tokio::spawn(async move { pusher.push(json!({ "websocket": message }).to_string()).await });
    // Behind it, and taken back in the end. Not for all, since their bodies are large.
    let same: Vec<_> =
        ids.iter().take(SAME).map(|id| data_send(id, &data)["websocket"].take()).collect();
    let answer = Pusher::to(&gateway).push(json!({ "websocket": same }).to_string()).await;
    assert_eq!(answer["failed"].as_array().unwrap().len(), SAME);
    let grown = memory(&gateway).saturating_sub(before);
    eprintln!("memory grew by {grown} bytes");
    assert!(grown < CLIENTS * BYTES / 2, "memory grew by {grown}");
    drop(clients);
    begun.await.unwrap();
    Lives::end(gateway).await;
}
