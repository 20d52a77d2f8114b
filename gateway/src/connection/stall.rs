//! When a client that takes nothing, or next to nothing, has had enough time. Pure: takes `now`.

use std::time::Duration;

use tokio::time::Instant;

/// What a client has to take within each write timeout, however slowly it reads.
const BYTES_PER_TIMEOUT: usize = 64 << 10;

/// Watches a flush. A slow client that takes something is given time anew, but not without end:
/// pushers wait for it.
#[derive(Debug)]
pub(super) struct Stall {
    timeout: Duration,
    /// When anything was taken.
    progress: Instant,
    bytes_written: u64,
    /// When all of it must have been taken.
    give_up: Instant,
}

impl Stall {
    pub(super) fn new(now: Instant, timeout: Duration) -> Self {
        Self { timeout, progress: now, bytes_written: 0, give_up: now + timeout }
    }

    /// A flush begins, after `bytes_written` bytes.
    pub(super) fn begin(&mut self, now: Instant, bytes_written: u64) {
        self.progress = now;
        self.bytes_written = bytes_written;
        self.give_up = now + self.timeout;
    }

    /// The flush has `bytes` more to do.
    pub(super) fn add(&mut self, bytes: usize) {
        let timeouts = bytes.div_ceil(BYTES_PER_TIMEOUT).saturating_sub(1);
        self.give_up += self.timeout.saturating_mul(u32::try_from(timeouts).unwrap_or(u32::MAX));
    }

    /// Whether the client has had enough time.
    pub(super) fn is_due(&mut self, now: Instant, bytes_written: u64) -> bool {
        if bytes_written != self.bytes_written {
            self.bytes_written = bytes_written;
            self.progress = now;
        }
        now >= self.deadline()
    }

    /// When it will be due, if nothing is taken until then.
    pub(super) fn deadline(&self) -> Instant {
        self.give_up.min(self.progress + self.timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_client_that_takes_nothing_is_due_after_the_timeout() {
        let start = Instant::now();
        let mut stall = Stall::new(start, 10 * SECOND);
        stall.begin(start, 500);
        stall.add(1 << 20);
        assert!(!stall.is_due(start + 9 * SECOND, 500));
        assert!(stall.is_due(start + 10 * SECOND, 500));
    }

    #[test]
    fn a_client_that_takes_something_is_given_time_anew() {
        let start = Instant::now();
        let mut stall = Stall::new(start, 10 * SECOND);
        stall.begin(start, 0);
        stall.add(1 << 20);
        assert!(!stall.is_due(start + 9 * SECOND, 1));
        assert!(!stall.is_due(start + 18 * SECOND, 1));
        assert!(stall.is_due(start + 19 * SECOND, 1));
    }

    #[test]
    fn a_client_that_trickles_is_due_in_the_end() {
        let start = Instant::now();
        let mut stall = Stall::new(start, 10 * SECOND);
        stall.begin(start, 0);
        stall.add(128 << 10);
        let due = (1..).find(|second| stall.is_due(start + *second * SECOND, u64::from(*second)));
        assert_eq!(due, Some(20));
    }
}
