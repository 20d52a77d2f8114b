//! A layer of the connector of an HTTP client: a new connection is checked before anything is sent
//! on it.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
};

use http::Extensions;
use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use tower::{Layer, Service};

use super::Peers;

type BoxError = Box<dyn Error + Send + Sync>;

/// Makes connectors that check each new connection. For `http` only: with TLS the certificate shows
/// who the server is.
#[derive(Debug, Clone)]
pub struct PeerLayer(Peers);

impl PeerLayer {
    pub(super) fn new(peers: Peers) -> Self {
        Self(peers)
    }
}

impl<S> Layer<S> for PeerLayer {
    type Service = Checked<S>;

    fn layer(&self, connector: S) -> Checked<S> {
        Checked { connector, peers: self.0.clone() }
    }
}

/// A connector that checks each new connection. One that is refused is an error of the connector,
/// so that the client knows that nothing was sent.
#[derive(Debug, Clone)]
pub struct Checked<S> {
    connector: S,
    peers: Peers,
}

impl<S, Request> Service<Request> for Checked<S>
where
    S: Service<Request, Error = BoxError>,
    S::Response: Connection,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (connecting, peers) = (self.connector.call(request), self.peers.clone());
        Box::pin(async move {
            let connection = connecting.await?;
            let info = info(&connection).ok_or("the connection has no address")?;
            peers.check(info.remote_addr(), info.local_addr())?;
            Ok(connection)
        })
    }
}

fn info(connection: &impl Connection) -> Option<HttpInfo> {
    let mut extensions = Extensions::new();
    connection.connected().get_extras(&mut extensions);
    extensions.remove()
}
