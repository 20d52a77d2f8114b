//! Who the client of a request is when proxies stand in front of a listener.
//!
//! A proxy that the settings trust says it, in a header of each request or before the first byte
//! of a connection. What anybody else says is ignored.

mod forwarded;
mod protocol;
mod settings;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::HeaderMap;
use tokio::{net::TcpStream, time::Instant};
use tracing::{debug, warn};

pub(crate) use self::protocol::HeaderError;
pub use self::settings::{ForwardHeader, ProxySettings};
use crate::telemetry::LineTurns;

/// The pause between two lines that say that a proxy sends no correct header.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// The proxies in front of a listener. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    settings: ProxySettings,
    lines: LineTurns<()>,
}

impl Proxies {
    /// The proxies of these settings.
    pub fn new(settings: ProxySettings) -> Self {
        let is_any = settings != ProxySettings::default();
        let lines = LineTurns::new(LINE_PAUSE);
        Self(is_any.then(|| Arc::new(Inner { settings, lines })))
    }

    /// Whether a connection from `peer` begins with a header of the PROXY protocol.
    pub(crate) fn begin_with_header(&self, peer: SocketAddr) -> bool {
        self.0.as_ref().is_some_and(|it| it.settings.protocol && it.settings.trusts(peer.ip()))
    }

    /// Reads that header from `tcp`, and nothing of what comes after. The address of the client,
    /// if the header has one.
    pub(crate) async fn read_header(
        &self,
        tcp: &mut TcpStream,
    ) -> Result<Option<SocketAddr>, HeaderError> {
        protocol::read(tcp).await
    }

    /// Logs that a connection of the proxy at `peer` was closed.
    pub(crate) fn log_closed(&self, peer: SocketAddr, error: &HeaderError) {
        let (source, text) = (error.cause(), "a connection of a trusted proxy was closed");
        // Balancers look so whether somebody listens.
        if matches!(error, HeaderError::Left) {
            return debug!(client.address = %peer, %error, "{text}");
        }
        let left_out = self.0.as_ref().and_then(|it| it.lines.turn(&(), Instant::now()));
        if let Some(left_out) = left_out {
            warn!(client.address = %peer, %error, source, left_out, "{text}");
        }
    }

    /// The client of a request with these headers, on a connection of `peer`. A port that is not
    /// known is 0.
    pub(crate) fn client_of(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let Some(inner) = &self.0 else { return peer };
        let settings = &inner.settings;
        let Some(header) = settings.header else { return peer };
        if !settings.trusts(peer.ip()) {
            if headers.contains_key(header.name()) {
                debug!(client.address = %peer, "{} is ignored: no trusted proxy sent it", header.word());
            }
            return peer;
        }
        let mut client = peer;
        for node in header.nodes(headers) {
            // What a proxy does not know, or hides, nobody knows.
            let Some(node) = node else { break };
            client = node;
            if !settings.trusts(node.ip()) {
                break;
            }
        }
        client
    }
}

impl ProxySettings {
    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests;
