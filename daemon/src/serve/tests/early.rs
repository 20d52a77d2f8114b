//! Answers that come before the end of the request, and clients that end their sending side.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::*;
use crate::body::{BodyError, BodyMemory};

/// More than the system keeps for a connection.
const LARGE: usize = 16 << 20;

async fn refuse(_: Request<RequestBody>) -> Response<Body> {
    message(StatusCode::PAYLOAD_TOO_LARGE, "no")
}

fn post(length: usize, more: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{more}\r\n")
}

/// The client reads nothing before it has sent everything, as many clients do.
#[tokio::test]
async fn a_client_that_sends_all_of_a_refused_request_gets_the_answer() {
    let server = TestServer::start(HOUR, refuse).await;
    let mut client = TestClient::connect(&server).await;
    client.send(&post(LARGE, "")).await;
    client.send(&"x".repeat(LARGE)).await;
    let answer = client.receive_until("}").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    // Hyper answers a head that is too large.
    let mut client = TestClient::connect(&server).await;
    client.send("GET / HTTP/1.1\r\nHost: ").await;
    client.send(&"x".repeat(LARGE)).await;
    let answer = client.receive_until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    server.end().await;
}

#[tokio::test]
async fn a_client_that_asks_first_is_not_told_to_send_a_body_that_is_refused() {
    let server = TestServer::start(HOUR, |request: Request<RequestBody>| async move {
        match BodyMemory::new(8, DEADLINE).read(request.into_body(), 8).await {
            Err(BodyError::TooLarge(_)) => message(StatusCode::PAYLOAD_TOO_LARGE, "no"),
            read => message(StatusCode::OK, &format!("{read:?}")),
        }
    })
    .await;
    let mut client = TestClient::connect(&server).await;
    client.send(&post(9, "Expect: 100-continue\r\n")).await;
    let answer = client.receive_until("}").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    let mut client = TestClient::connect(&server).await;
    client.send(&post(8, "Expect: 100-continue\r\n")).await;
    assert_eq!(client.receive_until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("12345678").await;
    assert!(client.receive_until("}").await.starts_with("HTTP/1.1 200 "));
    server.end().await;
}

#[tokio::test]
async fn a_small_body_that_nobody_reads_leaves_the_connection_open() {
    let server = TestServer::start(HOUR, refuse).await;
    let mut client = TestClient::connect(&server).await;
    for _ in 0..3 {
        client.send(&(post(9, "") + "123456789")).await;
        let answer = client.receive_until("}").await;
        assert!(!answer.contains("connection: close"), "{answer}");
    }
    server.end().await;
}

/// A service that tells when it has a request, answers when it is told to, and tells when its
/// request is dropped before.
struct Waiting {
    server: TestServer,
    entered: mpsc::Receiver<()>,
    release: Arc<Notify>,
    dropped: mpsc::Receiver<()>,
}

impl Waiting {
    async fn start() -> Self {
        let (enter, entered) = mpsc::channel(8);
        let (drop, dropped) = mpsc::channel(8);
        let release = Arc::new(Notify::new());
        let wait = Arc::clone(&release);
        let server = TestServer::start(HOUR, move |request| {
            let (enter, drop, wait) = (enter.clone(), drop.clone(), Arc::clone(&wait));
            async move {
                let told = Told(Some(drop));
                enter.send(()).await.unwrap();
                if request.uri().path() == "/endless" {
                    return endless(told);
                }
                if request.uri().path() == "/upgrade" {
                    request.body().connection().end_with_peer();
                }
                wait.notified().await;
                told.keep();
                greet(request).await
            }
        })
        .await;
        Self { server, entered, release, dropped }
    }
}

/// Tells that it was dropped.
struct Told(Option<mpsc::Sender<()>>);

impl Told {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            sender.try_send(()).unwrap();
        }
    }
}

/// A body that begins and does not end.
struct Endless {
    first: Option<Bytes>,
    _told: Told,
}

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.first.take().map_or(Poll::Pending, |first| Poll::Ready(Some(Ok(Frame::data(first)))))
    }
}

fn endless(told: Told) -> Response<Body> {
    let body = Endless { first: Some("!".into()), _told: told };
    let mut response = Response::new(body.boxed_unsync());
    response.extensions_mut().insert(EndsWithPeer);
    response
}

#[tokio::test]
async fn a_client_that_has_ended_its_sending_side_gets_its_answer() {
    let mut waiting = Waiting::start().await;
    let mut client = TestClient::connect(&waiting.server).await;
    client.get("/").await;
    client.finish().await;
    timeout(DEADLINE, waiting.entered.recv()).await.unwrap().unwrap();
    // By the time that another client has been served, the end of the first one has been seen.
    let mut other = TestClient::connect(&waiting.server).await;
    other.get("/endless").await;
    other.receive_until("!\r\n").await;
    waiting.release.notify_one();
    let answer = client.receive_all().await;
    assert!(answer.ends_with(&format!("hello {}!", client.address())), "{answer}");
    drop(other);
    waiting.server.end().await;
}

/// Nothing can be said to such a client: a WebSocket that cannot receive is none.
#[tokio::test]
async fn a_client_that_leaves_before_its_upgrade_ends_its_request() {
    let mut waiting = Waiting::start().await;
    let mut client = TestClient::connect(&waiting.server).await;
    client.get("/upgrade").await;
    timeout(DEADLINE, waiting.entered.recv()).await.unwrap().unwrap();
    drop(client);
    timeout(DEADLINE, waiting.dropped.recv()).await.unwrap().unwrap();
    waiting.server.end().await;
}

#[tokio::test]
async fn a_response_without_an_end_ends_when_its_reader_leaves() {
    let mut waiting = Waiting::start().await;
    let mut client = TestClient::connect(&waiting.server).await;
    client.get("/endless").await;
    client.receive_until("!\r\n").await;
    drop(client);
    timeout(DEADLINE, waiting.dropped.recv()).await.unwrap().unwrap();
    waiting.server.end().await;
}
