//! The TLS handshake of a connection that has been accepted.
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
use crate::{activity::Activity, stream::Stream, tls::Tls};

/// The first byte of every client that speaks TLS: a record of the handshake (RFC 8446, section
/// 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// What a client without TLS is told.
const SPEAKS_TLS: &str = "this listener speaks HTTP over TLS: use https:// or wss://";

/// A connection before its handshake.
#[derive(Debug)]
pub(super) struct Handshake<'a> {
    pub(super) peer: SocketAddr,
    pub(super) activity: &'a Activity,
    pub(super) stop: &'a CancellationToken,
    pub(super) linger: Duration,
}

impl Handshake<'_> {
    /// The stream within TLS. None if the connection has ended.
    pub(super) async fn run(self, tls: &Tls, tcp: TcpStream) -> Option<Stream> {
        let Self { peer, activity, stop, linger } = self;
        let stopped = async {
            stop.cancelled().await;
            sleep(linger).await;
        };
        let reason = tokio::select! {
            biased;
            accepted = accept(tls, tcp) => match accepted {
                Ok(stream) => {
                    activity.handshake_ended();
                    return Some(stream);
                }
                Err(error) => error.to_string(),
            },
            () = sleep_until(activity.handshake_due()) => "it did not end in time".to_owned(),
            () = activity.evicted() => "the connection gave way for another one".to_owned(),
            () = stopped => "the listener was stopped".to_owned(),
        };
        debug!(client.address = %peer, reason, "tls handshake failed");
        None
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
