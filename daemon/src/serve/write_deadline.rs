//! Ends a connection whose peer does not read its answer, or reads it too slowly.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// For how long writes may be blocked until the peer has taken another [`BYTES_PER_TIMEOUT`].
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How many bytes give a peer the whole timeout again. A peer that takes single bytes would hold
/// its answer for ever otherwise.
const BYTES_PER_TIMEOUT: usize = 64 << 10;

/// Watches the writes of one stream. It costs nothing while writes are not blocked.
#[derive(Debug, Default)]
pub(super) struct WriteDeadline {
    /// Since when a write has been blocked.
    blocked_since: Option<Instant>,
    /// For how long writes were blocked before, since the peer was given the whole timeout.
    blocked_before: Duration,
    /// How much the peer has taken since then.
    taken: usize,
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

    fn wrote(&mut self, bytes: usize) {
        let Some(since) = self.blocked_since.take() else { return };
        self.blocked_before += since.elapsed();
        self.taken += bytes;
        if self.taken >= BYTES_PER_TIMEOUT {
            (self.blocked_before, self.taken) = (Duration::ZERO, 0);
        }
    }

    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let left = WRITE_TIMEOUT.saturating_sub(self.blocked_before);
        let timer = match (self.blocked_since, &mut self.timer) {
            (Some(_), Some(timer)) => timer,
            (_, timer) => {
                let now = Instant::now();
                self.blocked_since = Some(now);
                let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(now + left)));
                timer.as_mut().reset(now + left);
                timer
            }
        };
        timer.as_mut().poll(cx)
    }
}
