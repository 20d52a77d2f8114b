//! The end of a stream after the last flush: the client gets all that was written.
//!
//! If a stream is closed while bytes of its client are unread, or come later, the system sends a
//! reset and drops what the client has not taken. So the writing side is shut down, and what the
//! client sends is read and dropped until it ends the stream.

use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout_at},
};

use super::wire::Wire;

/// How many bytes of a client are dropped at most.
const BYTES_MAX: u64 = 64 << 20;

/// A stream whose connection has ended.
#[derive(Debug)]
pub(crate) struct Linger<S> {
    wire: Wire<S>,
    deadline: Instant,
    /// How many bytes will have been read when the client has sent too many.
    bytes_read_max: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Linger<S> {
    /// Ends a stream whose bytes have all been written, by `deadline` at the latest.
    pub(super) fn new(wire: Wire<S>, deadline: Instant) -> Self {
        let bytes_read_max = wire.bytes_read() + BYTES_MAX;
        Self { wire, deadline, bytes_read_max }
    }

    /// Runs until the client has ended the stream, has sent too much, or has had its time. Can be
    /// dropped and called again.
    pub(crate) async fn run(&mut self) {
        let Self { wire, deadline, bytes_read_max } = self;
        let ended = poll_fn(|cx| poll_end(wire, *bytes_read_max, cx));
        // After the deadline the client is dropped.
        let _ = timeout_at(*deadline, ended).await;
    }
}

fn poll_end<S>(wire: &mut Wire<S>, bytes_read_max: u64, cx: &mut Context<'_>) -> Poll<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if ready!(wire.poll_shutdown(cx)).is_err() {
        return Poll::Ready(());
    }
    match wire.poll_discard(cx) {
        Poll::Pending if wire.bytes_read() <= bytes_read_max => Poll::Pending,
        // An error ends the stream as well.
        Poll::Pending | Poll::Ready(Ok(()) | Err(_)) => Poll::Ready(()),
    }
}
