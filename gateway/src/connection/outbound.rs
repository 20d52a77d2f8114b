//! What has been written to the socket and is not flushed yet.

use std::{mem, time::Duration};

use daemon::pace::{MinRate, Pace};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::Instant,
};

use super::socket::Socket;
use crate::registry::{Delivery, Frame};

/// How many bytes a client has to read in each write timeout.
const BYTES_PER_TIMEOUT: u64 = 64 << 10;

/// Follows the flush of the socket: who waits for its end, and whether the client reads.
#[derive(Debug)]
pub(super) struct Outbound {
    rate: MinRate,
    /// How fast the client reads, if there is a flush.
    pace: Option<Pace>,
    /// Notified when the flush has ended.
    waiting: Vec<oneshot::Sender<Delivery>>,
}

impl Outbound {
    pub(super) fn new(write_timeout: Duration) -> Self {
        let rate = MinRate { bytes: BYTES_PER_TIMEOUT, timeout: write_timeout };
        Self { rate, pace: None, waiting: Vec::new() }
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
        if socket.is_flushing() && self.pace.is_none() {
            self.pace = Some(Pace::begin(Instant::now(), self.rate, socket.bytes_written()));
        }
    }

    /// The client has read some of what is being written.
    pub(super) fn taken<S>(&mut self, now: Instant, socket: &Socket<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if let Some(pace) = &mut self.pace {
            pace.moved(|| now, socket.bytes_written());
        }
    }

    /// The operating system has everything.
    pub(super) fn flushed(&mut self) {
        self.pace = None;
        for written in mem::take(&mut self.waiting) {
            // The pusher may have left.
            let _ = written.send(Delivery::Written);
        }
    }

    /// The socket has ended: those who wait learn that their messages were not written.
    pub(super) fn lost(&mut self) {
        self.pace = None;
        self.waiting = Vec::new();
    }

    /// When the client will have read too slowly. None while nothing is being flushed.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.pace.map(|pace| pace.deadline())
    }
}

#[cfg(test)]
mod tests;
