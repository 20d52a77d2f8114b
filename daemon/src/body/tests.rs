//! Bounded reading, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{error::Error, sync::Arc, time::Duration};

use http::StatusCode;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};

use super::*;
use crate::{
    http::message,
    testing::{DEADLINE, TestClient, TestServer},
};

const LIMIT: usize = 8;

/// Reads the body of `request`, after which the client ends the connection.
async fn read(request: &str) -> Result<Bytes, BodyError> {
    let memory = || BodyMemory::new(LIMIT, DEADLINE);
    let (sender, mut receiver) = mpsc::channel(1);
    let server = TestServer::start(Duration::from_secs(60), move |request| {
        let sender = sender.clone();
        async move {
            let _ = sender.send(memory().read(request.into_body(), LIMIT).await).await;
            message(StatusCode::OK, "read")
        }
    })
    .await;
    let mut client = TestClient::connect(&server).await;
    client.send(&format!("POST / HTTP/1.1\r\nHost: localhost\r\n{request}")).await;
    client.finish().await;
    let outcome = timeout(DEADLINE, receiver.recv()).await.unwrap().unwrap();
    server.end().await;
    outcome.map(|body: HeldBody| body.bytes)
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit() {
    assert_eq!(read("\r\n").await.unwrap(), "");
    assert_eq!(read("Content-Length: 8\r\n\r\n12345678").await.unwrap(), "12345678");
    let chunked = "Transfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n";
    assert_eq!(read(chunked).await.unwrap(), "12345678");
}

#[tokio::test]
async fn a_larger_body_is_too_large() {
    for request in [
        "Content-Length: 9\r\n\r\n123456789",
        "Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n1\r\n9\r\n0\r\n\r\n",
        // A body without an end is too large as well.
        "Transfer-Encoding: chunked\r\n\r\n9\r\n123456789",
    ] {
        let error = read(request).await.unwrap_err();
        assert!(matches!(error, BodyError::TooLarge(LIMIT)), "{request:?}: {error}");
        assert_eq!(error.to_string(), "body is larger than 8 bytes");
    }
}

/// A server whose bodies have memory for four that are as large as they may be. It answers with the
/// length of the body.
async fn measure() -> TestServer {
    let memory = BodyMemory::new(4 * LARGE, DEADLINE);
    TestServer::start(Duration::from_secs(60), move |request| {
        let memory = memory.clone();
        async move {
            match memory.read(request.into_body(), LARGE).await {
                Ok(body) => message(StatusCode::OK, &length(body.bytes.len())),
                Err(error) => message(StatusCode::TOO_MANY_REQUESTS, &error.to_string()),
            }
        }
    })
    .await
}

fn length(bytes: usize) -> String {
    format!("{bytes} bytes")
}

/// How many clients hold a body.
const HELD: usize = 16;
/// More than a small body has.
const LARGE: usize = 257 << 10;

/// Clients that announce a body of the largest size, and send `bytes` of it.
async fn hold(server: &TestServer, bytes: usize) -> Vec<TestClient> {
    let mut clients = Vec::new();
    for _ in 0..HELD {
        let mut client = TestClient::connect(server).await;
        let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LARGE}\r\n\r\n");
        client.send(&(head + &"x".repeat(bytes))).await;
        clients.push(client);
    }
    clients
}

async fn check_served(server: &TestServer, bytes: usize) {
    for _ in 0..8 {
        let mut client = TestClient::connect(server).await;
        let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {bytes}\r\n\r\n");
        client.send(&(head + &"x".repeat(bytes))).await;
        assert!(client.receive_until(&length(bytes)).await.starts_with("HTTP/1.1 200 "));
    }
}

/// Memory follows the bytes that have come.
#[tokio::test]
async fn bodies_of_which_nothing_has_come_keep_nobody_from_being_read() {
    let server = measure().await;
    let held = hold(&server, 0).await;
    check_served(&server, LARGE).await;
    for mut client in held {
        client.send(&"x".repeat(LARGE)).await;
        assert!(client.receive_until(&length(LARGE)).await.starts_with("HTTP/1.1 200 "));
    }
    server.end().await;
}

#[tokio::test]
async fn bodies_that_do_not_go_on_are_given_up_when_others_need_the_memory() {
    let server = measure().await;
    let held = hold(&server, LARGE - 1).await;
    check_served(&server, LARGE).await;
    drop(held);
    server.end().await;
}

/// One large body has all the memory of large ones, and keeps it.
#[tokio::test]
async fn small_bodies_do_not_wait_for_large_ones() {
    let memory = BodyMemory::new(LARGE, Duration::MAX);
    let (entered, mut first) = mpsc::channel(HELD);
    let released = Arc::new(Semaphore::new(0));
    let release = Arc::clone(&released);
    let server = TestServer::start(Duration::from_secs(60), move |request| {
        let (memory, entered) = (memory.clone(), entered.clone());
        let release = Arc::clone(&release);
        async move {
            let body = memory.read(request.into_body(), LARGE).await.unwrap();
            if body.bytes.len() == LARGE {
                entered.send(()).await.unwrap();
                let _ = release.acquire().await;
            }
            message(StatusCode::OK, &length(body.bytes.len()))
        }
    })
    .await;
    let held = hold(&server, LARGE).await;
    first.recv().await.unwrap();
    check_served(&server, 4).await;
    check_served(&server, 256 << 10).await;
    drop(held);
    released.close();
    server.end().await;
}

/// All of them together are larger than the memory, and each is read to its end.
#[tokio::test]
async fn bodies_that_go_on_are_read_in_turn() {
    let server = measure().await;
    let mut clients = hold(&server, LARGE / 2).await;
    for client in &mut clients {
        client.send(&"x".repeat(LARGE / 2)).await;
    }
    for client in &mut clients {
        assert!(client.receive_until(&length(LARGE)).await.starts_with("HTTP/1.1 200 "));
    }
    server.end().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_broken() {
    for request in ["Content-Length: 8\r\n\r\n1234", "Transfer-Encoding: chunked\r\n\r\n8\r\n1234"]
    {
        let error = read(request).await.unwrap_err();
        assert!(matches!(error, BodyError::Broken(_)), "{request:?}: {error}");
        assert!(error.source().is_some());
    }
}
