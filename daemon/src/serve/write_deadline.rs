//! Ends a connection whose peer does not read its answer, or reads it too slowly.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use crate::pace::{MinRate, Pace};

/// How fast the peer must read while writes are blocked.
pub(super) const RATE: MinRate = MinRate { bytes: 64 << 10, timeout: Duration::from_secs(30) };

/// Watches the writes of one stream. It costs nothing while writes are not blocked.
#[derive(Debug, Default)]
pub(super) struct WriteDeadline {
    /// How many bytes have been written.
    total: u64,
    /// How fast the peer reads, since a write was blocked for the first time.
    pace: Option<Pace>,
    /// Since when writes are not blocked, as far as this does not count yet as time to postpone by.
    free_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl WriteDeadline {
    /// Passes the result of a write on, or an error if the peer has had its time.
    pub(super) fn watch(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => self.wrote(bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                ready!(self.poll_due(cx));
                let slow = "the peer did not read its answer in time";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, slow)));
            }
        }
        written
    }

    /// A flush that was blocked has ended.
    pub(super) fn flushed(&mut self) {
        if self.pace.is_some() {
            self.free_since.get_or_insert_with(Instant::now);
        }
    }

    fn wrote(&mut self, bytes: usize) {
        // All bytes count: the system wakes a writer when the peer has read much, and then takes
        // many writes in a row.
        self.total += bytes as u64;
        let Some(pace) = &mut self.pace else { return };
        let now = Instant::now();
        if let Some(since) = self.free_since.replace(now) {
            pace.postpone(now - since);
        }
        pace.moved(|| now, self.total);
    }

    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let total = self.total;
        let pace = self.pace.get_or_insert_with(|| Pace::begin(Instant::now(), RATE, total));
        if let Some(since) = self.free_since.take() {
            pace.postpone(since.elapsed());
        }
        let deadline = pace.deadline();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }
}
