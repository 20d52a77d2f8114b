//! What has been written to the socket and is not flushed yet.

use std::{mem, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::Instant,
};

use super::{socket::Socket, stall::Stall};
use crate::registry::Frame;

/// Follows the flush of the socket: who waits for its end, and whether the client reads.
#[derive(Debug)]
pub(super) struct Outbound {
    /// Watches the flush.
    stall: Stall,
    /// Whether there is a flush that is watched.
    watching: bool,
    /// Notified when the flush has ended.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Outbound {
    pub(super) fn new(now: Instant, write_timeout: Duration) -> Self {
        Self { stall: Stall::new(now, write_timeout), watching: false, waiting: Vec::new() }
    }

    /// Writes a message. `written` is notified when it has been flushed, and dropped if it never
    /// is.
    pub(super) fn write<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        now: Instant,
        socket: &mut Socket<S>,
        frame: Frame,
        written: Option<oneshot::Sender<()>>,
    ) {
        self.begin(now, socket.bytes_written());
        self.stall.add(frame.len());
        if socket.write(frame) {
            self.waiting.extend(written);
        }
    }

    pub(super) fn ping<S>(&mut self, now: Instant, socket: &mut Socket<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.begin(now, socket.bytes_written());
        socket.ping();
    }

    /// Something came from the client. The socket flushes if it has to answer a ping.
    pub(super) fn heard<S>(&mut self, now: Instant, socket: &Socket<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if socket.is_flushing() {
            self.begin(now, socket.bytes_written());
        }
    }

    /// The operating system has everything.
    pub(super) fn flushed(&mut self) {
        self.watching = false;
        for written in mem::take(&mut self.waiting) {
            // The pusher may have left.
            let _ = written.send(());
        }
    }

    /// The socket has ended: those who wait learn that their messages were not written.
    pub(super) fn lost(&mut self) {
        self.waiting = Vec::new();
    }

    /// Whether the client has read too little for the write timeout.
    pub(super) fn is_stalled<S>(&mut self, now: Instant, socket: &Socket<S>) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.stall.is_due(now, socket.bytes_written())
    }

    /// When the client will have stalled, if it reads nothing until then.
    pub(super) fn deadline(&self) -> Instant {
        self.stall.deadline()
    }

    fn begin(&mut self, now: Instant, bytes_written: u64) {
        if !mem::replace(&mut self.watching, true) {
            self.stall.begin(now, bytes_written);
        }
    }
}

#[cfg(test)]
mod tests;
