//! POSTs to one address over connections that are kept.

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

type Connection = SendRequest<Full<Bytes>>;

/// All clones share the connections. There are as many as requests were ever under way at once.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    address: SocketAddr,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Caller {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, idle: Arc::default() }
    }

    /// The body of the answer, whatever its status.
    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> anyhow::Result<Bytes> {
        let kept = self.idle.lock().expect("nobody panics with it").pop();
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
            self.idle.lock().expect("nobody panics with it").push(connection);
        }
        Ok(body)
    }

    async fn connect(&self) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}
