//! Serving, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod capacity;
mod early;
mod proxies;
mod tls;

use std::{io, sync::Arc};

use tokio::{net::TcpStream, sync::Notify, time::timeout};

use super::*;
use crate::{
    http::full,
    testing::{DEADLINE, TestClient, TestServer},
};

/// Long enough to never matter.
const HOUR: Duration = Duration::from_secs(60 * 60);

async fn greet(request: Request<RequestBody>) -> Response<Body> {
    let PeerAddress(peer) = request.extensions().get().copied().unwrap();
    Response::new(full(format!("hello {peer}!")))
}

#[tokio::test]
async fn a_service_knows_the_address_of_its_client() {
    let server = TestServer::start(HOUR, greet).await;
    let mut client = TestClient::connect(&server).await;
    client.get("/").await;
    let answer = client.receive_until("!").await;
    assert!(answer.ends_with(&format!("\r\n\r\nhello {}!", client.address())), "{answer}");
    server.end().await;
}

/// A panic costs one request, whether it comes before the first await or after; its connection
/// and the listener go on.
#[tokio::test]
async fn a_panic_is_answered_500() {
    let server = TestServer::start(HOUR, |request| {
        assert_ne!(request.uri().path(), "/early", "a panic that this test wants");
        async move {
            tokio::task::yield_now().await;
            assert_ne!(request.uri().path(), "/late", "a panic that this test wants");
            greet(request).await
        }
    })
    .await;
    let mut client = TestClient::connect(&server).await;
    for path in ["/early", "/late"] {
        client.get(path).await;
        let answer = client.receive_until("}").await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n{\"message\":\"internal error\"}"), "{answer}");
    }
    client.get("/").await;
    client.receive_until(&format!("hello {}!", client.address())).await;
    let mut other = TestClient::connect(&server).await;
    other.get("/").await;
    other.receive_until(&format!("hello {}!", other.address())).await;
    server.end().await;
}

#[tokio::test]
async fn a_stop_lets_the_request_in_hand_end_and_closes_idle_connections() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (notify_entered, wait) = (Arc::clone(&entered), Arc::clone(&release));
    let server = TestServer::start(HOUR, move |request| {
        let (entered, release) = (Arc::clone(&notify_entered), Arc::clone(&wait));
        async move {
            if request.uri().path() == "/slow" {
                entered.notify_one();
                release.notified().await;
            }
            greet(request).await
        }
    })
    .await;
    let mut busy = TestClient::connect(&server).await;
    busy.get("/slow").await;
    timeout(DEADLINE, entered.notified()).await.unwrap();
    let mut silent = TestClient::connect(&server).await;
    // Connections are accepted in order: once this one is answered, the silent one is in too.
    let mut idle = TestClient::connect(&server).await;
    idle.get("/").await;
    idle.receive_until("!").await;

    server.stop.cancel();
    assert_eq!(idle.receive_all().await, "");
    assert_eq!(silent.receive_all().await, "");

    release.notify_one();
    let answer = busy.receive_all().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("hello {}!", busy.address())), "{answer}");
    let address = server.address;
    server.ended().await;
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}

/// The head timeout closes those that send nothing, half a head, or nothing after an answer. Who
/// has sent half a head is told so.
#[tokio::test]
async fn a_client_that_sends_no_head_is_closed() {
    let server = TestServer::start(Duration::from_millis(250), greet).await;
    let mut silent = TestClient::connect(&server).await;
    let mut slow = TestClient::connect(&server).await;
    slow.send("GET / HTTP/1.1\r\nHost: loc").await;
    let mut pipelined = TestClient::connect(&server).await;
    pipelined.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: loc").await;
    pipelined.receive_until("!").await;
    let mut idle = TestClient::connect(&server).await;
    idle.get("/").await;
    idle.receive_until("!").await;
    assert_eq!(silent.receive_all().await, "");
    for mut client in [slow, pipelined] {
        let answer = client.receive_all().await;
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!(
            answer.ends_with("{\"message\":\"the head of the request did not come in time\"}"),
            "{answer}"
        );
    }
    assert_eq!(idle.receive_all().await, "");
    server.end().await;
}
