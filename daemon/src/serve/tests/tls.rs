//! HTTP over TLS, over real sockets.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{client::TlsStream, rustls::pki_types::ServerName};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::tls::testing::TestAuthority;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A server with TLS, and what its clients trust.
struct TlsServer {
    server: TestServer,
    authority: TestAuthority,
}

impl TlsServer {
    async fn start<F>(
        head_timeout: Duration,
        answer: impl Fn(Request<RequestBody>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let authority = TestAuthority::new();
        authority.issue("a", &["localhost"]);
        let tls = authority.open("cert = \"a.pem\"\nkey = \"a.key\"").unwrap();
        Self { server: TestServer::with_tls(tls, head_timeout, answer).await, authority }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let tcp = TcpStream::connect(self.server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        timeout(DEADLINE, self.authority.connector().connect(name, tcp)).await.unwrap().unwrap()
    }
}

async fn read_all(client: &mut TlsStream<TcpStream>) -> String {
    let mut answer = String::new();
    timeout(DEADLINE, client.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

/// The client ends its sending side, with the end of TLS or with that of TCP only, and gets all of
/// the answer and the end of TLS.
#[tokio::test]
async fn a_client_that_has_ended_its_sending_side_is_answered() {
    let tls = TlsServer::start(HOUR, greet).await;
    let mut client = tls.connect().await;
    client.write_all(REQUEST).await.unwrap();
    client.shutdown().await.unwrap();
    assert!(read_all(&mut client).await.contains("hello "));

    let mut client = tls.connect().await;
    client.write_all(REQUEST).await.unwrap();
    client.flush().await.unwrap();
    client.get_mut().0.shutdown().await.unwrap();
    assert!(read_all(&mut client).await.contains("hello "));
    tls.server.end().await;
}

/// The end comes encrypted, while hyper does not read.
#[tokio::test]
async fn a_request_that_ends_with_its_peer_ends_with_that_of_tls() {
    let (entered, dropped) = (Arc::new(Notify::new()), CancellationToken::new());
    let (notify_entered, guard) = (Arc::clone(&entered), dropped.clone());
    let tls = TlsServer::start(HOUR, move |request| {
        let (entered, guard) = (Arc::clone(&notify_entered), guard.clone().drop_guard());
        async move {
            request.body().connection().end_with_peer();
            entered.notify_one();
            let _guard = guard;
            std::future::pending::<Response<Body>>().await
        }
    })
    .await;
    let mut client = tls.connect().await;
    client.write_all(REQUEST).await.unwrap();
    timeout(DEADLINE, entered.notified()).await.unwrap();
    client.shutdown().await.unwrap();
    timeout(DEADLINE, dropped.cancelled()).await.unwrap();
    tls.server.end().await;
}

/// A client that begins no handshake, and one that does not end it.
#[tokio::test]
async fn a_client_that_does_not_end_its_handshake_is_closed() {
    let tls = TlsServer::start(Duration::from_millis(250), greet).await;
    let mut silent = TestClient::connect(&tls.server).await;
    let mut slow = TestClient::connect(&tls.server).await;
    slow.send("\u{16}\u{3}\u{1}").await;
    assert_eq!(silent.receive_all().await, "");
    assert_eq!(slow.receive_all().await, "");
    tls.server.end().await;
}

/// A stop ends handshakes, and what waits for its first request.
#[tokio::test]
async fn a_stop_ends_handshakes() {
    let tls = TlsServer::start(HOUR, greet).await;
    let mut silent = TestClient::connect(&tls.server).await;
    let mut idle = tls.connect().await;
    tls.server.stop.cancel();
    assert_eq!(silent.receive_all().await, "");
    assert_eq!(read_all(&mut idle).await, "");
    tls.server.ended().await;
}

/// A connection that waits for its handshake gives way like one that waits for a request.
#[tokio::test]
async fn a_handshake_gives_way_when_the_listener_is_full() {
    let tls = TlsServer::start(HOUR, greet).await;
    let mut silent = Vec::new();
    for _ in 0..TestServer::CONNECTIONS {
        silent.push(TestClient::connect(&tls.server).await);
    }
    let mut client = tls.connect().await;
    client.write_all(REQUEST).await.unwrap();
    let mut answer = [0; 12];
    timeout(DEADLINE, client.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    tls.server.end().await;
}

#[tokio::test]
async fn a_client_without_tls_is_told_so() {
    let tls = TlsServer::start(HOUR, greet).await;
    let mut client = TestClient::connect(&tls.server).await;
    client.get("/").await;
    let answer = client.receive_all().await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    let text = "{\"message\":\"this listener speaks HTTP over TLS: use https:// or wss://\"}";
    assert!(answer.ends_with(text), "{answer}");
    let mut scanner = TestClient::connect(&tls.server).await;
    scanner.send("\u{1}\u{2}\u{3}").await;
    scanner.finish().await;
    scanner.closed().await;
    tls.server.end().await;
}
