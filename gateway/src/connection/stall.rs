//! When a client that takes nothing has had enough time. Pure: takes `now`.

use std::time::Duration;

use tokio::time::Instant;

/// Watches a flush. A slow client that still takes something is given time anew.
#[derive(Debug)]
pub(super) struct Stall {
    timeout: Duration,
    since: Option<Instant>,
    bytes_written: u64,
}

impl Stall {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, since: None, bytes_written: 0 }
    }

    /// A flush begins, after `bytes_written` bytes.
    pub(super) fn begin(&mut self, now: Instant, bytes_written: u64) {
        self.since = Some(now);
        self.bytes_written = bytes_written;
    }

    /// Whether the client has taken nothing for the whole timeout.
    pub(super) fn is_due(&mut self, now: Instant, bytes_written: u64) -> bool {
        let since = *self.since.get_or_insert(now);
        if bytes_written != self.bytes_written {
            self.begin(now, bytes_written);
            return false;
        }
        now >= since + self.timeout
    }

    /// When it will be due, if nothing is taken until then.
    pub(super) fn deadline(&self) -> Instant {
        self.since.unwrap_or_else(Instant::now) + self.timeout
    }
}
