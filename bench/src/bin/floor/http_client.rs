//! An HTTP client that POSTs to one address and keeps its connections.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    client::conn::http1::{SendRequest, handshake},
    header::{CONNECTION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type HttpConnection = SendRequest<Full<Bytes>>;

/// A handle; all clones share the connections. The number of connections grows with the number of
/// simultaneous requests and never shrinks.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    address: SocketAddr,
    idle: Arc<Mutex<Vec<HttpConnection>>>,
}

impl HttpClient {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, idle: Arc::default() }
    }

    /// Sends `body` and returns the body of the response. The status is not checked.
    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> anyhow::Result<Bytes> {
        let kept = self.idle.lock().expect("nothing panics with the lock held").pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.ready().await?;
        let request = Request::post(path)
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body.into()))?;
        let answer = connection.send_request(request).await?;
        let is_last = answer.headers().get(CONNECTION).is_some_and(|value| value == "close");
        let body = answer.into_body().collect().await?.to_bytes();
        if !is_last {
            self.idle.lock().expect("nothing panics with the lock held").push(connection);
        }
        Ok(body)
    }

    async fn connect(&self) -> anyhow::Result<HttpConnection> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}
