//! A connection over streams in memory, with a client that is not ours and a clock that stands
//! still while anything can run.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io,
    net::Ipv4Addr,
    path::Path,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, ready},
    time::Duration,
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

use super::{testing::client_frame, *};
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
    let mailbox = Mailbox::new(settings.connection.send_queue);
    (Registry::default().enter(info, api, mailbox).unwrap(), settings.connection)
}

/// Functions that nobody runs.
fn functions() -> FunctionClient {
    FunctionClient::new(&"http://127.0.0.1:9".parse().unwrap()).unwrap()
}

/// Opens a connection. Each direction holds `capacity` bytes that the other side has not read.
fn open(capacity: usize) -> Opened {
    open_with(capacity, |_| {})
}

/// Opens a connection whose settings are changed.
fn open_with(capacity: usize, change: impl FnOnce(&mut ConnectionSettings)) -> Opened {
    open_in(memory(), capacity, change)
}

fn open_in(
    memory: ReceiveMemory,
    capacity: usize,
    change: impl FnOnce(&mut ConnectionSettings),
) -> Opened {
    let (entry, mut settings) = entry();
    change(&mut settings);
    let handle = Arc::clone(&entry.handle);
    let (client, stream) = duplex(capacity);
    let connection = Connection::new(stream, Vec::new(), entry, &settings, memory, functions());
    let connection = tokio::spawn(async move { connection.run().await.0 });
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
async fn a_client_that_answers_nothing_is_lost_after_ping_and_pong_timeout() {
    let Opened { client, connection, began, .. } = open(1 << 16);
    assert_eq!(end_of(connection, began).await, (End::LOST, 25 + 20));
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_is_closed_when_it_has_been_idle() {
    let Opened { client, connection, began, .. } = open(1 << 16);
    let mut client = websocket(client).await;
    let mut code = None;
    while let Some(Ok(message)) = client.next().await {
        code = code.or(close_code(&message));
    }
    assert_eq!(code, Some(CloseCode::Away));
    assert_eq!(end_of(connection, began).await, (End::IDLE, 600));
}

/// When the gateway pings, in seconds, if the client answers each ping and sends this word of its
/// own.
async fn pings_after(word: Option<(u32, ClientMessage)>, count: usize) -> Vec<u64> {
    let Opened { client, began, .. } = open(1 << 16);
    let mut client = websocket(client).await;
    let (at, word) = word.unzip();
    let mut word_due = pin!(sleep(SECOND * at.unwrap_or(1_000)));
    let mut pings = Vec::new();
    while pings.len() < count {
        tokio::select! {
            message = client.next() => match message.unwrap().unwrap() {
                ClientMessage::Ping(_) => pings.push(began.elapsed().as_secs()),
                ClientMessage::Pong(_) => {}
                other => panic!("{other:?} after {:?}", began.elapsed()),
            },
            () = word_due.as_mut(), if !word_due.is_elapsed() => {
                client.send(word.clone().unwrap()).await.unwrap();
            }
        }
    }
    pings
}

/// A proxy that cuts silent connections must see a ping in time.
#[tokio::test(start_paused = true)]
async fn a_quiet_client_is_pinged_at_each_interval_from_its_last_byte() {
    assert_eq!(pings_after(None, 4).await, [25, 50, 75, 100]);
    let word = |at, word: ClientMessage| Some((at, word));
    assert_eq!(pings_after(word(10, ClientMessage::Pong("".into())), 3).await, [35, 60, 85]);
    assert_eq!(pings_after(word(24, ClientMessage::Ping("".into())), 3).await, [49, 74, 99]);
    assert_eq!(pings_after(word(30, ClientMessage::Pong("".into())), 3).await, [25, 55, 80]);
}

/// The head of a message, and later one byte of it: the interval begins anew with this byte.
#[tokio::test(start_paused = true)]
async fn a_byte_of_a_message_defers_the_ping_from_when_it_came() {
    let Opened { mut client, began, .. } =
        open_with(1 << 16, |settings| settings.read_timeout = 60 * SECOND);
    let frame = client_frame(1, true, &[b'x'; 100]);
    client.write_all(&frame[..10]).await.unwrap();
    sleep(10 * SECOND).await;
    client.write_all(&frame[10..11]).await.unwrap();
    let mut ping = [0; 2];
    client.read_exact(&mut ping).await.unwrap();
    assert_eq!((ping, began.elapsed().as_secs()), ([0x89, 0], 35));
}

/// Pings at this interval for three minutes, answers the gateway's pings, and sends nothing else.
async fn soak(ping_interval: Duration) {
    let Opened { client, connection, began, .. } = open(1 << 16);
    let mut client = websocket(client).await;
    let mut ticks = interval_at(began + ping_interval, ping_interval);
    let end = sleep_until(began + 180 * SECOND);
    let (mut pings, mut pongs) = (0, 0);
    let mut end = pin!(end);
    loop {
        tokio::select! {
            biased;
            message = client.next() => match message.unwrap().unwrap() {
                ClientMessage::Pong(_) => pongs += 1,
                ClientMessage::Ping(_) => {}
                other => panic!("{other:?} after {:?}", began.elapsed()),
            },
            _ = ticks.tick() => {
                client.send(ClientMessage::Ping("still there?".into())).await.unwrap();
                pings += 1;
            }
            () = end.as_mut() => break,
        }
    }
    assert!(!connection.is_finished());
    assert!(pings - pongs <= 1, "{pongs} pongs to {pings} pings");
}

#[tokio::test(start_paused = true)]
async fn an_idle_client_that_pings_is_not_cut() {
    tokio::join!(soak(10 * SECOND), soak(20 * SECOND), soak(30 * SECOND), soak(45 * SECOND));
}

/// The pong or the Close is the first that the gateway writes for longer than the write timeout,
/// and it has to wait for the client.
#[tokio::test(start_paused = true)]
async fn a_client_gets_its_pong_and_its_close_after_a_silence() {
    for (sent, answer) in
        [([0x89, 0x80, 0, 0, 0, 0], [0x8a, 0]), ([0x88, 0x80, 0, 0, 0, 0], [0x88, 0])]
    {
        let Opened { mut client, .. } =
            open_with(1, |settings| settings.write_timeout = 2 * SECOND);
        sleep(SECOND * 5 / 2).await;
        client.write_all(&sent).await.unwrap();
        sleep(SECOND).await;
        let mut received = [0; 2];
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(received, answer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_is_notified_when_the_stream_has_taken_all_of_it_and_not_before() {
    let Opened { client, handle, connection, .. } = open(1000);
    settle().await;
    let mut receipt = push(&handle, 1500);
    settle().await;
    assert!(receipt.written.try_recv().is_err(), "the client has read nothing");
    let mut client = websocket(client).await;
    assert_eq!(client.next().await.unwrap().unwrap().len(), 1500);
    receipt.written.await.unwrap();
    drop(client);
    assert_eq!(connection.await.unwrap(), End::LOST);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_has_stalled_after_the_write_timeout() {
    let Opened { client, handle, connection, began } = open(1000);
    settle().await;
    let receipt = push(&handle, 1500);
    assert_eq!(end_of(connection, began).await, (End::STALLED, 30));
    assert!(receipt.written.await.is_err(), "notified of what was never written");
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_waits_for_a_client_that_does_not_read_has_the_close_timeout() {
    let Opened { client, handle, connection, began } = open(1000);
    settle().await;
    let _receipt = push(&handle, 1500);
    settle().await;
    assert!(handle.mailbox.close(End::SERVER));
    let never_seen = End { code: None, ..End::SERVER };
    assert_eq!(end_of(connection, began).await, (never_seen, 5));
    drop(client);
}

/// Reads what is left of a push of 1 MB at 50 kB/s, which takes longer than the close timeout, and
/// all that follows it.
async fn read_slowly(client: &mut DuplexStream, mut bytes: usize) -> Vec<u8> {
    let mut chunk = vec![0; 50_000];
    while bytes > chunk.len() {
        client.read_exact(&mut chunk).await.expect("the frame is cut off");
        bytes -= chunk.len();
        sleep(SECOND).await;
    }
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    rest.split_off(bytes)
}

/// What was begun is finished, then the Close is answered.
#[tokio::test(start_paused = true)]
async fn a_close_of_a_client_that_reads_slowly_cuts_no_frame() {
    let Opened { mut client, handle, connection, .. } = open(64 << 10);
    settle().await;
    let receipt = push(&handle, 1_000_000);
    client.read_exact(&mut [0; 200_000]).await.unwrap();
    client.write_all(&client_frame(8, true, b"\x03\xe8")).await.unwrap();
    let after = read_slowly(&mut client, 1_000_010 - 200_000).await;
    assert_eq!(after, b"\x88\x02\x03\xe8");
    receipt.written.await.expect("it was written");
    assert_eq!(connection.await.unwrap().reason, EndReason::Client);
}

#[tokio::test(start_paused = true)]
async fn a_close_of_a_function_waits_for_a_client_that_reads_slowly() {
    let Opened { mut client, handle, connection, .. } = open(64 << 10);
    settle().await;
    let receipt = push(&handle, 1_000_000);
    settle().await;
    assert!(handle.mailbox.close(End::SERVER));
    let after = read_slowly(&mut client, 1_000_010).await;
    assert_eq!(after, b"\x88\x02\x03\xe8");
    receipt.written.await.expect("it was written");
    assert_eq!(connection.await.unwrap(), End::SERVER);
}

/// It has the close timeout, and not the write timeout for each 64 KiB.
#[tokio::test(start_paused = true)]
async fn a_client_that_closes_and_reads_no_more_is_cut_after_the_close_timeout() {
    let Opened { mut client, handle, connection, began } = open(64 << 10);
    settle().await;
    let receipt = push(&handle, 1_000_000);
    client.write_all(&client_frame(8, true, b"\x03\xe8")).await.unwrap();
    assert_eq!(end_of(connection, began).await.1, 5);
    assert!(receipt.written.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_answered_has_the_close_timeout() {
    let Opened { mut client, handle, connection, began } = open(1000);
    assert!(handle.mailbox.close(End::SERVER));
    let mut close = [0; 4];
    client.read_exact(&mut close).await.unwrap();
    assert_eq!(close, [0x88, 2, 0x03, 0xe8], "RFC 6455, section 5.5.1");
    assert!(!handle.mailbox.close(End::IDLE), "pushes are refused from the Close on");
    assert_eq!(end_of(connection, began).await, (End::SERVER, 5));
}

#[tokio::test(start_paused = true)]
async fn a_drain_closes_a_connection_that_has_nothing_to_forward() {
    let Opened { client, handle, connection, began } = open(1 << 16);
    handle.mailbox.drain();
    let mut client = websocket(client).await;
    assert_eq!(close_code(&client.next().await.unwrap().unwrap()), Some(CloseCode::Away));
    // The client answers the Close while it reads on.
    assert!(client.next().await.is_none_or(|end| end.is_err()));
    assert_eq!(end_of(connection, began).await, (End::DRAIN, 0));
}

/// A client that sends this frame without end.
struct Endless(Vec<u8>);

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // As a real socket does, the stream is ready for as long as the task has budget.
        ready!(pin!(consume_budget()).poll(cx));
        buffer.put_slice(&self.0);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// On the real clock, because a clock that is paused stands still while bytes come.
#[tokio::test]
async fn a_flood_of_empty_fragments_does_not_outlast_the_close_timeout() {
    let (entry, mut settings) = entry();
    settings.close_timeout = Duration::from_millis(50);
    let handle = Arc::clone(&entry.handle);
    let functions = functions();
    let first = client_frame(1, false, b"");
    let stream = Endless(client_frame(0, false, b""));
    let connection = Connection::new(stream, first, entry, &settings, memory(), functions);
    assert!(handle.mailbox.close(End::SERVER));
    assert_eq!(connection.run().await.0, End::SERVER);
}

/// On the real clock, as above.
#[tokio::test]
async fn a_client_that_sends_frames_without_payload_for_ever_is_closed() {
    let ping = client_frame(9, true, b"");
    for (first, rest) in
        [(client_frame(1, false, b""), client_frame(0, false, b"")), (ping.clone(), ping)]
    {
        let (entry, mut settings) = entry();
        settings.close_timeout = Duration::from_millis(50);
        let functions = functions();
        let connection =
            Connection::new(Endless(rest), first, entry, &settings, memory(), functions);
        assert_eq!(connection.run().await.0, End::FLOOD);
    }
}

/// Also if it has broken the protocol, so that everything is dropped.
#[tokio::test]
async fn a_flood_of_large_pings_does_not_outlast_the_close_timeout() {
    let ping = client_frame(9, true, &[7; 125]);
    for (first, reason) in [(ping.clone(), EndReason::Server), (vec![0xff; 2], EndReason::Lost)] {
        let (entry, mut settings) = entry();
        settings.close_timeout = Duration::from_millis(50);
        let handle = Arc::clone(&entry.handle);
        let functions = functions();
        let connection =
            Connection::new(Endless(ping.clone()), first, entry, &settings, memory(), functions);
        if reason == EndReason::Server {
            assert!(handle.mailbox.close(End::SERVER));
        }
        assert_eq!(connection.run().await.0.reason, reason);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_message_comes_too_slowly_is_closed() {
    let Opened { mut client, connection, began, .. } = open(1 << 16);
    let frame = client_frame(2, true, &[7; 1000]);
    client.write_all(&frame[..500]).await.unwrap();
    for byte in &frame[500..502] {
        sleep(10 * SECOND).await;
        client.write_all(&[*byte]).await.unwrap();
    }
    let end = end_of(connection, began).await;
    assert_eq!(end, (End::SLOW_SENDER, 30 + 5), "the Close is not answered");
}

/// As slowly as it may.
#[tokio::test(start_paused = true)]
async fn a_client_that_sends_a_long_message_steadily_is_not_closed() {
    let Opened { mut client, connection, .. } = open(1 << 16);
    let frame = client_frame(2, true, &vec![7; 1 << 20]);
    for part in frame[..1_000_000].chunks(64 << 10) {
        client.write_all(part).await.unwrap();
        sleep(29 * SECOND).await;
        assert!(!connection.is_finished());
    }
}

/// Clients whose messages lack a byte hold no more than the memory, and not for long. A client with
/// short messages does not notice.
#[tokio::test(start_paused = true)]
async fn messages_that_are_being_received_have_one_bound_together() {
    const CLIENTS: usize = 20;
    const CAPACITY: usize = 16 << 10;
    const MEMORY: usize = 4 << 20;
    let memory = ReceiveMemory::new(MEMORY);
    let frame: Arc<[u8]> = client_frame(2, true, &vec![7; 1 << 20])[..1 << 20].into();
    let mut slow = Vec::new();
    let sent = Arc::new(AtomicUsize::new(0));
    for _ in 0..CLIENTS {
        let Opened { mut client, connection, began, .. } =
            open_in(memory.clone(), CAPACITY, |_| {});
        let (frame, sent) = (Arc::clone(&frame), Arc::clone(&sent));
        slow.push(tokio::spawn(async move {
            for part in frame.chunks(1 << 10) {
                if client.write_all(part).await.is_err() {
                    break;
                }
                sent.fetch_add(part.len(), Ordering::Relaxed);
            }
            end_of(connection, began).await
        }));
    }
    sleep(SECOND).await;
    let held = sent.load(Ordering::Relaxed);
    // The pipes hold some of the bytes, and each connection may have a short message beside the
    // memory.
    assert!(held < MEMORY + CLIENTS * (CAPACITY + (16 << 10)), "{held}");
    assert!(held > MEMORY / 2, "{held}");
    let Opened { client, .. } = open_in(memory.clone(), CAPACITY, |_| {});
    let mut client = websocket(client).await;
    client.send(ClientMessage::Ping(vec![7; 100].into())).await.unwrap();
    assert!(client.next().await.unwrap().unwrap().is_pong());
    for slow in slow {
        let (end, seconds) = slow.await.unwrap();
        assert!([End::SLOW_SENDER, End::NO_MEMORY].contains(&end), "{end:?}");
        assert!(seconds <= 2 * 30 + 5, "{seconds}");
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
