//! The health check, asked of servers that are ready, not ready, and none at all.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpSocket},
};

use super::*;
use crate::{http::message, testing::TestServer};

/// A server that gives `status` to `GET /readyz`, and 404 to anything else.
async fn start(status: StatusCode) -> TestServer {
    TestServer::start(Duration::from_secs(60), move |request| async move {
        match (request.method().as_str(), request.uri().path()) {
            ("GET", "/readyz") => message(status, "as told"),
            _ => message(StatusCode::NOT_FOUND, "not found"),
        }
    })
    .await
}

#[tokio::test]
async fn a_server_that_is_ready_is_ready() {
    let server = start(StatusCode::OK).await;
    ready(server.address, Transport::Plain).await.unwrap();
    server.end().await;
}

#[tokio::test]
async fn any_other_status_is_not_ready() {
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::NO_CONTENT, StatusCode::FOUND] {
        let server = start(status).await;
        let error = ready(server.address, Transport::Plain).await.unwrap_err();
        assert!(matches!(error, CheckError::NotReady(_, answered) if answered == status));
        assert_eq!(error.to_string(), format!("{} answered {status}", server.address));
        server.end().await;
    }
}

#[tokio::test]
async fn no_server_is_not_ready() {
    // A socket that is bound but does not listen keeps the port for itself.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    match ready(address, Transport::Plain).await.unwrap_err() {
        CheckError::Connect(asked, error) => {
            assert_eq!((asked, error.kind()), (address, io::ErrorKind::ConnectionRefused));
        }
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_http_is_not_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let speak = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail.test ESMTP\r\n").await.unwrap();
        stream
    };
    let (checked, _stream) = tokio::join!(ready(address, Transport::Plain), speak);
    let error = checked.unwrap_err();
    assert!(matches!(error, CheckError::Http(asked, _) if asked == address), "{error}");
}

/// A server that listens everywhere is asked through loopback.
#[tokio::test]
async fn an_unspecified_address_is_asked_through_loopback() {
    let check = |address: &str, expected: &str| {
        assert_eq!(reachable(address.parse().unwrap()), expected.parse().unwrap());
    };
    check("0.0.0.0:9001", "127.0.0.1:9001");
    check("[::]:9001", "[::1]:9001");
    check("10.0.0.1:9001", "10.0.0.1:9001");
    let server = start(StatusCode::OK).await;
    ready(([0, 0, 0, 0], server.address.port()).into(), Transport::Plain).await.unwrap();
    server.end().await;
}
