//! Bounded reading, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use http::StatusCode;
use tokio::{sync::mpsc, time::timeout};

use super::*;
use crate::{
    http::message,
    testing::{DEADLINE, TestClient, TestServer},
};

const LIMIT: usize = 8;

/// Reads the body of `request`, after which the client ends the connection.
async fn read(request: &str) -> Result<Bytes, BodyError> {
    let (sender, mut receiver) = mpsc::channel(1);
    let server = TestServer::start(Duration::from_secs(60), move |request| {
        let sender = sender.clone();
        async move {
            let _ = sender.send(read_body(request.into_body(), LIMIT).await).await;
            message(StatusCode::OK, "read")
        }
    })
    .await;
    let mut client = TestClient::connect(&server).await;
    client.send(&format!("POST / HTTP/1.1\r\nHost: localhost\r\n{request}")).await;
    client.finish().await;
    let outcome = timeout(DEADLINE, receiver.recv()).await.unwrap().unwrap();
    server.end().await;
    outcome
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

#[tokio::test]
async fn a_body_that_breaks_off_is_broken() {
    for request in ["Content-Length: 8\r\n\r\n1234", "Transfer-Encoding: chunked\r\n\r\n8\r\n1234"]
    {
        let error = read(request).await.unwrap_err();
        assert!(matches!(error, BodyError::Broken(_)), "{request:?}: {error}");
        assert!(error.source().is_some());
    }
}
