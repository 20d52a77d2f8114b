//! What has been written to the socket and is not in the hands of the operating system yet.

use std::{mem, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::Instant,
};

use super::{socket::Socket, stall::Stall};
use crate::registry::Frame;

/// Follows what is being flushed: who waits for it, and whether the client takes it.
#[derive(Debug)]
pub(super) struct Outbound {
    stall: Stall,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Outbound {
    pub(super) fn new(now: Instant, write_timeout: Duration) -> Self {
        Self { stall: Stall::new(now, write_timeout), waiting: Vec::new() }
    }

    /// Writes a message; `written` is told when it has been flushed, and dropped if it never is.
    pub(super) fn write<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        now: Instant,
        socket: &mut Socket<S>,
        frame: Frame,
        written: Option<oneshot::Sender<()>>,
    ) {
        self.begin(now, socket);
        self.stall.add(frame.len());
        if socket.write(frame) {
            self.waiting.extend(written);
        }
    }

    pub(super) fn ping<S>(&mut self, now: Instant, socket: &mut Socket<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.begin(now, socket);
        socket.ping();
    }

    /// The operating system has taken all of it.
    pub(super) fn flushed(&mut self) {
        for written in mem::take(&mut self.waiting) {
            // The pusher may have left.
            let _ = written.send(());
        }
    }

    /// The socket has ended: whoever waits learns that it was not written.
    pub(super) fn lost(&mut self) {
        self.waiting = Vec::new();
    }

    /// Whether the client has taken nothing for the write timeout.
    pub(super) fn is_stalled<S>(&mut self, now: Instant, socket: &Socket<S>) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.stall.is_due(now, socket.bytes_written())
    }

    /// When the client will have stalled, if it takes nothing until then.
    pub(super) fn deadline(&self) -> Instant {
        self.stall.deadline()
    }

    fn begin<S>(&mut self, now: Instant, socket: &Socket<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !socket.is_flushing() {
            self.stall.begin(now, socket.bytes_written());
        }
    }
}
