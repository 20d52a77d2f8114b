//! A connection over streams in memory, with a client that is not ours and a clock that stands
//! still while anything can run.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod closing;
mod expiry;
mod floods;
mod lingering;
mod receiving;
mod silence;
mod writing;

use std::{
    io,
    net::Ipv4Addr,
    path::Path,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use futures_util::{SinkExt, StreamExt};
use shared::connection_id::ConnectionId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex},
    task::{JoinHandle, coop::consume_budget},
    time::{interval_at, sleep},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message as ClientMessage,
        protocol::{CloseFrame, Role, frame::coding::CloseCode},
    },
};

use super::{
    testing::{client_frame, close_bytes},
    *,
};
use crate::{
    api::Apis,
    registry::{
        ConnectionInfo, EndReason, Handle, Mailbox, Message, Offered, Overflow, Receipt, Registry,
        Terms,
    },
    settings::Settings,
};

const SECOND: Duration = Duration::from_secs(1);
const SETTINGS: &str = r#"api = [{ id = "a", path = "/a", transmit = "echo" }]"#;

/// A connection that has just been opened, and its client.
struct Opened {
    client: DuplexStream,
    handle: Arc<Handle>,
    connection: JoinHandle<End>,
    began: Instant,
}

/// An entry in a registry, and the settings of its connection.
fn entry() -> (Entry, ConnectionSettings) {
    let settings = Settings::parse(Path::new(""), SETTINGS, &Default::default()).unwrap();
    let apis = Apis::new(settings.apis, settings.runner);
    let api = apis.by_id("a").unwrap();
    let id = ConnectionId::from_bytes([7; 19]);
    let info = ConnectionInfo::new(id, &api, "/a", Ipv4Addr::LOCALHOST.into(), None);
    // No call begins. It would ask for a socket of the system, which does not go by the clock of
    // the tests.
    api.transmits().forget_permits(usize::MAX);
    let mailbox = Mailbox::new(settings.connection.send_queue);
    (Registry::default().enter(info, api, mailbox).unwrap(), settings.connection)
}

/// Functions that nobody calls.
fn functions() -> FunctionClient {
    let token = http::HeaderValue::from_static("Bearer hunter2");
    FunctionClient::new(
        &"http://127.0.0.1:9".parse().unwrap(),
        token,
        &daemon::peer::Peers::default(),
    )
    .unwrap()
}

/// Opens a connection whose token expires in `seconds`.
fn open_until(seconds: u32) -> Opened {
    let clock = SystemTime::now() + Duration::from_hours(1);
    open_with_expiry(Expiry { at: Some(Instant::now() + SECOND * seconds), clock })
}

fn open_with_expiry(expiry: Expiry) -> Opened {
    let (entry, settings) = entry();
    let handle = Arc::clone(&entry.handle);
    let (client, stream) = duplex(1 << 16);
    let connection = Connection::new(stream, Vec::new(), entry, &settings, &memory(), functions())
        .closed_at(Some(expiry));
    let connection = tokio::spawn(async move { connection.run().await.end });
    Opened { client, handle, connection, began: Instant::now() }
}

/// Opens a connection. Each direction holds `capacity` bytes that the other side has not read.
fn open(capacity: usize) -> Opened {
    open_with(capacity, |_| {})
}

/// Opens a connection whose settings are changed.
fn open_with(capacity: usize, change: impl FnOnce(&mut ConnectionSettings)) -> Opened {
    open_in(&memory(), capacity, change)
}

fn open_in(
    memory: &ReceiveMemory,
    capacity: usize,
    change: impl FnOnce(&mut ConnectionSettings),
) -> Opened {
    let (entry, mut settings) = entry();
    change(&mut settings);
    let handle = Arc::clone(&entry.handle);
    let (client, stream) = duplex(capacity);
    let connection = Connection::new(stream, Vec::new(), entry, &settings, memory, functions());
    let connection = tokio::spawn(async move {
        let Ended { end, linger, .. } = connection.run().await;
        if let Some(mut linger) = linger {
            tokio::spawn(async move { linger.run().await });
        }
        end
    });
    Opened { client, handle, connection, began: Instant::now() }
}

fn memory() -> ReceiveMemory {
    ReceiveMemory::new(64 << 20)
}

async fn websocket(stream: DuplexStream) -> WebSocketStream<DuplexStream> {
    WebSocketStream::from_raw_socket(stream, Role::Client, None).await
}

fn push(handle: &Handle, bytes: usize) -> Receipt {
    let message = Message::Binary(vec![7; bytes].into());
    match offer(handle, message) {
        Offered::Queued(receipt) => receipt,
        Offered::Held => panic!("not open"),
    }
}

fn offer(handle: &Handle, message: Message) -> Offered {
    let began = Instant::now();
    let terms = Terms { began, deadline: began + 60 * SECOND, overflow: &Overflow::new(0) };
    handle.mailbox.offer(message.into(), terms).unwrap()
}

/// Waits until the connection has nothing to do at this moment.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

/// How long the connection was open, to the second.
async fn end_of(connection: JoinHandle<End>, began: Instant) -> (End, u64) {
    let end = connection.await.unwrap();
    (end, began.elapsed().as_secs())
}

fn close_code(message: &ClientMessage) -> Option<CloseCode> {
    match message {
        ClientMessage::Close(Some(frame)) => Some(frame.code),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_passes_one_byte_at_a_time() {
    let Opened { client, handle, connection, .. } = open(1);
    settle().await;
    let (text, binary) = ("grüße", vec![7; 200]);
    let first = Message::Text(text.into());
    let _queued =
        [first, Message::Binary(binary.clone().into())].map(|message| offer(&handle, message));
    let mut client = websocket(client).await;
    assert_eq!(client.next().await.unwrap().unwrap(), ClientMessage::text(text));
    assert_eq!(client.next().await.unwrap().unwrap(), ClientMessage::binary(binary));
    client.send(ClientMessage::Ping("still there".into())).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), ClientMessage::Pong("still there".into()));
    let frame = CloseFrame { code: CloseCode::Library(4321), reason: "bye".into() };
    client.close(Some(frame)).await.unwrap();
    let answer = client.next().await.unwrap().unwrap();
    assert_eq!(close_code(&answer), Some(CloseCode::Library(4321)));
    let end = connection.await.unwrap();
    assert_eq!((end.code, end.reason), (Some(CloseCode::Library(4321)), EndReason::Client));
}
