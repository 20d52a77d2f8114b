//! What has been written to the socket and is not flushed yet.

use std::{mem, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::Instant,
};

use super::{socket::Socket, stall::Stall};
use crate::registry::{Delivery, Frame};

/// Follows the flush of the socket: who waits for its end, and whether the client reads.
#[derive(Debug)]
pub(super) struct Outbound {
    write_timeout: Duration,
    /// Watches the flush, if there is one.
    stall: Option<Stall>,
    /// Notified when the flush has ended.
    waiting: Vec<oneshot::Sender<Delivery>>,
}

impl Outbound {
    pub(super) fn new(write_timeout: Duration) -> Self {
        Self { write_timeout, stall: None, waiting: Vec::new() }
    }

    /// Writes a message. `written` is notified when it has been flushed, and dropped if it never
    /// is.
    pub(super) fn write<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut Socket<S>,
        frame: Frame,
        written: Option<oneshot::Sender<Delivery>>,
    ) {
        if socket.write(frame) {
            self.waiting.extend(written);
        }
    }

    /// Watches the flush from here on if it has just begun, whoever began it: the connection with a
    /// message, a ping or a Close, or the socket itself, which answers pings and Closes.
    pub(super) fn watch<S>(&mut self, socket: &Socket<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if socket.is_flushing() && self.stall.is_none() {
            let begin = Stall::begin(Instant::now(), self.write_timeout, socket.bytes_written());
            self.stall = Some(begin);
        }
    }

    /// The client has read some of what is being written.
    pub(super) fn taken<S>(&mut self, now: Instant, socket: &Socket<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if let Some(stall) = &mut self.stall {
            stall.written(now, socket.bytes_written());
        }
    }

    /// The operating system has everything.
    pub(super) fn flushed(&mut self) {
        self.stall = None;
        for written in mem::take(&mut self.waiting) {
            // The pusher may have left.
            let _ = written.send(Delivery::Written);
        }
    }

    /// The socket has ended: those who wait learn that their messages were not written.
    pub(super) fn lost(&mut self) {
        self.stall = None;
        self.waiting = Vec::new();
    }

    /// When the client will have stalled, if it reads nothing until then. None while nothing is being
    /// flushed.
    pub(super) fn deadline<S>(&self, socket: &Socket<S>) -> Option<Instant>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.stall.as_ref().map(|stall| stall.deadline(socket.bytes_put()))
    }
}

#[cfg(test)]
mod tests;
