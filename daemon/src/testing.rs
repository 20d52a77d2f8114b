//! A server and a client of raw bytes for the tests of this crate.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    os::fd::AsRawFd,
    time::Duration,
};

use http::{Request, Response};
use nix::sys::socket::MsgFlags;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use crate::{
    body::RequestBody,
    http::Body,
    proxies::Proxies,
    serve::{Listener, ServeSettings, serve},
    tls::Tls,
};

/// The longest time that a test waits for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A running server.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    running: JoinHandle<()>,
}

impl TestServer {
    /// How many connections a server may have, unless a test says otherwise.
    pub(crate) const CONNECTIONS: usize = 64;

    /// Serves `answer` on a port of loopback.
    pub(crate) async fn start<F>(
        head_timeout: Duration,
        answer: impl Fn(Request<RequestBody>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::with_capacity(Self::CONNECTIONS, head_timeout, answer).await
    }

    /// The same for `connections_max` connections at once.
    pub(crate) async fn with_capacity<F>(
        connections_max: usize,
        head_timeout: Duration,
        answer: impl Fn(Request<RequestBody>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let settings = settings(connections_max, head_timeout);
        Self::with_settings(settings, answer).await
    }

    /// The same with TLS.
    pub(crate) async fn with_tls<F>(
        tls: Option<Tls>,
        head_timeout: Duration,
        answer: impl Fn(Request<RequestBody>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let settings = settings(Self::CONNECTIONS, head_timeout);
        Self::with_all(tls, Proxies::default(), settings, answer).await
    }

    /// The same behind proxies, and perhaps with TLS.
    pub(crate) async fn behind<F>(
        proxies: Proxies,
        tls: Option<Tls>,
        head_timeout: Duration,
        answer: impl Fn(Request<RequestBody>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::with_all(tls, proxies, settings(Self::CONNECTIONS, head_timeout), answer).await
    }

    /// The same with any settings.
    pub(crate) async fn with_settings<F>(
        settings: ServeSettings,
        answer: impl Fn(Request<RequestBody>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::with_all(None, Proxies::default(), settings, answer).await
    }

    async fn with_all<F>(
        tls: Option<Tls>,
        proxies: Proxies,
        settings: ServeSettings,
        answer: impl Fn(Request<RequestBody>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let stop = CancellationToken::new();
        let service = service_fn(move |request| {
            let answered = answer(request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let served = serve(Listener { tcp, tls, proxies }, settings, stop.clone(), service);
        Self { address, stop, running: tokio::spawn(served) }
    }

    /// Waits until the server has stopped.
    pub(crate) async fn ended(self) {
        timeout(DEADLINE, self.running).await.unwrap().unwrap();
    }

    /// Stops the server.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.ended().await;
    }
}

fn settings(connections_max: usize, head_timeout: Duration) -> ServeSettings {
    let linger = Duration::ZERO;
    ServeSettings { idle_timeout: head_timeout, head_timeout, connections_max, linger }
}

/// A client that sends and receives raw bytes.
pub(crate) struct TestClient(TcpStream);

impl TestClient {
    pub(crate) async fn connect(server: &TestServer) -> Self {
        Self(TcpStream::connect(server.address).await.unwrap())
    }

    /// The same with an address of its own.
    pub(crate) async fn connect_from(ip: Ipv4Addr, server: &TestServer) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((ip, 0).into()).unwrap();
        Self(socket.connect(server.address).await.unwrap())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Connects without giving other tasks a turn.
    pub(crate) fn connect_now(server: &TestServer) -> Self {
        let tcp = std::net::TcpStream::connect(server.address).unwrap();
        tcp.set_nonblocking(true).unwrap();
        Self(TcpStream::from_std(tcp).unwrap())
    }

    /// Sends without giving other tasks a turn.
    pub(crate) fn send_now(&mut self, bytes: &str) {
        let sent = nix::sys::socket::send(self.0.as_raw_fd(), bytes.as_bytes(), MsgFlags::empty());
        assert_eq!(sent, Ok(bytes.len()));
    }

    pub(crate) async fn send(&mut self, bytes: &str) {
        self.send_bytes(bytes.as_bytes()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The stream, for what lies above TCP.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.0
    }

    /// Sends a request without a body.
    pub(crate) async fn get(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    }

    /// Ends the sending side of the connection.
    pub(crate) async fn finish(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Receives until `end` has come.
    pub(crate) async fn receive_until(&mut self, end: &str) -> String {
        let mut received = Vec::new();
        let receive = async {
            while !received.ends_with(end.as_bytes()) {
                received.push(self.0.read_u8().await.unwrap());
            }
        };
        timeout(DEADLINE, receive).await.unwrap();
        String::from_utf8(received).unwrap()
    }

    /// Receives until the server closes.
    pub(crate) async fn receive_all(&mut self) -> String {
        let mut received = String::new();
        timeout(DEADLINE, self.0.read_to_string(&mut received)).await.unwrap().unwrap();
        received
    }

    /// Waits until the server closes, or resets the connection.
    pub(crate) async fn closed(&mut self) {
        let mut received = Vec::new();
        let read = timeout(DEADLINE, self.0.read_to_end(&mut received)).await.unwrap();
        assert_eq!((read.unwrap_or(0), received), (0, Vec::new()));
    }
}
