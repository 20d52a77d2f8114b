//! What comes before HTTP on a connection that has been accepted: a header of the PROXY protocol,
//! and the TLS handshake.
//!
//! The connection counts as one that waits for its first request: it gives way like such a one, and
//! ends with the stop of the listener.

use std::{future::poll_fn, io, net::SocketAddr, time::Duration};

use http::StatusCode;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{discard::Discard, refusal::last_answer};
use crate::{
    activity::Activity,
    proxies::{HeaderError, Proxies},
    stream::Stream,
    tls::{Tls, Uncertified},
};

/// The first byte of every client that speaks TLS: a record of the handshake (RFC 8446, section
/// 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// What a client without TLS is told.
const SPEAKS_TLS: &str = "this listener speaks HTTP over TLS: use https:// or wss://";

/// A connection before its first request.
#[derive(Debug)]
pub(super) struct Handshake<'a> {
    pub(super) peer: SocketAddr,
    pub(super) activity: &'a Activity,
    pub(super) stop: &'a CancellationToken,
    pub(super) linger: Duration,
}

/// Why a handshake did not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Cut {
    #[error("it did not end in time")]
    Late,
    #[error("the connection gave way for another one")]
    GaveWay,
    #[error("the listener was stopped")]
    Stopped,
}

impl Handshake<'_> {
    /// The stream that carries HTTP, the address of the client, and the proxies whose headers of
    /// HTTP count. None if the connection has ended.
    pub(super) async fn run(
        self,
        proxies: Proxies,
        tls: Option<&Tls>,
        mut tcp: TcpStream,
    ) -> Option<(Stream, SocketAddr, Proxies)> {
        let (client, proxies) = if proxies.begin_with_header(self.peer) {
            match self.client(&proxies, &mut tcp).await? {
                Some(client) => (client, proxies),
                // The proxy does not say whose bytes it passes on, so a header of HTTP may be of
                // anybody.
                None => (self.peer, Proxies::default()),
            }
        } else {
            (self.peer, proxies)
        };
        let Some(tls) = tls else {
            self.activity.handshake_ended();
            return Some((tcp.into(), client, proxies));
        };
        let reason = match self.in_time(accept(tls, tcp)).await {
            Ok(Ok(stream)) => {
                self.activity.handshake_ended();
                return Some((stream, client, proxies));
            }
            Ok(Err(error)) if tls.is_of_certificate(&error) => {
                tls.log_uncertified(client, Uncertified::Wrong, Some(&error));
                return None;
            }
            Ok(Err(error)) => error.to_string(),
            Err(cut) => cut.to_string(),
        };
        debug!(client.address = %client, reason, "tls handshake failed");
        None
    }

    /// The client of a proxy, if the proxy says it. None if the connection has ended.
    async fn client(&self, proxies: &Proxies, tcp: &mut TcpStream) -> Option<Option<SocketAddr>> {
        let error = match self.in_time(proxies.read_header(tcp)).await {
            Ok(Ok(client)) => return Some(client),
            Ok(Err(error)) => error,
            Err(Cut::Late) => HeaderError::Late,
            Err(cut @ (Cut::GaveWay | Cut::Stopped)) => {
                debug!(client.address = %self.peer, reason = %cut, "no PROXY header came");
                return None;
            }
        };
        proxies.log_closed(self.peer, &error);
        None
    }

    async fn in_time<T>(&self, step: impl Future<Output = T>) -> Result<T, Cut> {
        let stopped = async {
            self.stop.cancelled().await;
            sleep(self.linger).await;
        };
        tokio::select! {
            biased;
            done = step => Ok(done),
            () = sleep_until(self.activity.handshake_due()) => Err(Cut::Late),
            () = self.activity.evicted() => Err(Cut::GaveWay),
            () = stopped => Err(Cut::Stopped),
        }
    }
}

async fn accept(tls: &Tls, mut tcp: TcpStream) -> io::Result<Stream> {
    let mut first = [0];
    if tcp.peek(&mut first).await? == 0 {
        return Err(io::Error::other("the client left before it"));
    }
    let [first] = first;
    if first == HANDSHAKE_RECORD {
        return Ok(tls.accept(tcp).await?.into());
    }
    // The name of a method is written in these letters.
    if first.is_ascii_uppercase() {
        tcp.write_all(&last_answer(StatusCode::BAD_REQUEST, SPEAKS_TLS)).await?;
        tcp.shutdown().await?;
        let mut discard = Discard::begin();
        poll_fn(|cx| discard.poll(cx, &mut tcp)).await;
    }
    Err(io::Error::other("the client does not speak TLS"))
}
