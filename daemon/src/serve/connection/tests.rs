//! Connections over in-memory streams, with paused time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    error::Error,
    net::Ipv4Addr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufWriter, DuplexStream, duplex},
    task::JoinHandle,
    time::timeout,
};

use super::*;
use crate::{
    activity::Timeouts,
    http::full,
    serve::{BUFFER_BYTES, capacity::Capacity, write_deadline::RATE},
};

impl Peek for DuplexStream {
    fn poll_peer_end(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn has_unread(&self) -> impl Fn() -> bool + Send + 'static {
        || false
    }
}

/// A layer like TLS: a write is ready when this layer has the bytes.
impl Peek for BufWriter<DuplexStream> {
    fn poll_peer_end(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn has_unread(&self) -> impl Fn() -> bool + Send + 'static {
        || false
    }
}

const ANSWER_BYTES: usize = 256 << 10;
const WRITE_TIMEOUT: Duration = RATE.timeout;
/// Bytes of a frame of a body that is streamed.
const FRAME_BYTES: usize = 8 << 10;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A connection whose requests are all answered with [`ANSWER_BYTES`], and its client.
async fn serve() -> (JoinHandle<hyper::Result<()>>, DuplexStream) {
    serve_over(8 << 10, || full(vec![b'x'; ANSWER_BYTES])).await
}

/// A connection over a stream that buffers `capacity` bytes, whose requests are all answered with
/// `body`.
async fn serve_over(
    capacity: usize,
    body: impl Fn() -> Body + Clone + Send + Sync + 'static,
) -> (JoinHandle<hyper::Result<()>>, DuplexStream) {
    let (stream, client) = duplex(capacity);
    (serve_stream(stream, body).await, client)
}

async fn serve_stream(
    stream: impl AsyncRead + AsyncWrite + Peek + Unpin + Send + 'static,
    body: impl Fn() -> Body + Clone + Send + Sync + 'static,
) -> JoinHandle<hyper::Result<()>> {
    let activity = Activity::new(Timeouts { idle: HOUR, head: HOUR, reserve: HOUR });
    let permit = Capacity::new(1).enter(activity.clone()).await;
    let connection = Connection {
        stream,
        peer: (Ipv4Addr::LOCALHOST, 1).into(),
        proxies: Proxies::default(),
        uncertified: None,
        activity,
        permit,
        stop: CancellationToken::new(),
        linger: Duration::ZERO,
    };
    let service = service_fn(move |_| {
        let body = body();
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    let mut http = http1::Builder::new();
    http.max_buf_size(BUFFER_BYTES);
    tokio::spawn(async move { connection.serve(&http, service).await })
}

/// A body of so many frames.
struct Frames(usize);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or(0);
        Poll::Ready(left.map(|_| Ok(Frame::data(vec![b'x'; FRAME_BYTES].into()))))
    }
}

async fn ask(client: &mut DuplexStream) {
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_answer_nobody_reads_is_ended() {
    let (served, mut client) = serve().await;
    ask(&mut client).await;
    let error = timeout(2 * WRITE_TIMEOUT, served).await.unwrap().unwrap().unwrap_err();
    assert!(format!("{error:?}").contains("did not read its answer"), "{error:?}");
}

/// All of the answer is in a layer of the stream, whose flush waits for the client.
#[tokio::test(start_paused = true)]
async fn a_connection_whose_answer_is_in_a_layer_and_nobody_reads_it_is_ended() {
    let (stream, mut client) = duplex(8 << 10);
    let stream = BufWriter::with_capacity(2 * ANSWER_BYTES, stream);
    let served = serve_stream(stream, || full(vec![b'x'; ANSWER_BYTES])).await;
    ask(&mut client).await;
    let error = timeout(2 * WRITE_TIMEOUT, served).await.unwrap().unwrap().unwrap_err();
    assert!(format!("{error:?}").contains("did not read its answer"), "{error:?}");
}

/// Each byte is news, and still the answer would take days.
#[tokio::test(start_paused = true)]
async fn a_connection_whose_answer_is_read_byte_by_byte_is_ended() {
    let (served, mut client) = serve().await;
    ask(&mut client).await;
    let reading = tokio::spawn(async move {
        while client.read_u8().await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    timeout(2 * WRITE_TIMEOUT, served).await.unwrap().unwrap().unwrap_err();
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_all_of_its_answers() {
    let (served, mut client) = serve().await;
    // On one connection, so that what was measured for one answer does not count for the next.
    for _ in 0..3 {
        ask(&mut client).await;
        let mut left = ANSWER_BYTES;
        let mut piece = vec![0; 8 << 10];
        while left > 0 {
            sleep(WRITE_TIMEOUT / 10).await;
            let bytes = client.read(&mut piece).await.unwrap();
            assert_ne!(bytes, 0, "{left} bytes are missing");
            // The heads are small, and come first.
            left = left.saturating_sub(bytes);
        }
    }
    drop(client);
    timeout(HOUR, served).await.unwrap().unwrap().unwrap_or_default();
}

/// The system wakes a writer when a good part of its buffer is free, and a body in frames is
/// written a few frames at a time: the first write of each turn is a small part of what the peer
/// has read.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_all_of_a_body_in_many_frames() {
    const BUFFERED: usize = 192 << 10;
    const TURNS: usize = 20;
    let frames = || Frames(TURNS * BUFFERED / FRAME_BYTES).boxed_unsync();
    let (served, mut client) = serve_over(BUFFERED, frames).await;
    ask(&mut client).await;
    let mut piece = vec![0; BUFFERED];
    for turn in 0..TURNS {
        // Three times the rate that is asked for.
        sleep(WRITE_TIMEOUT * 2 / 3).await;
        client.read_exact(&mut piece).await.unwrap_or_else(|error| panic!("turn {turn}: {error}"));
    }
    drop(client);
    timeout(HOUR, served).await.unwrap().unwrap().unwrap_or_default();
}
