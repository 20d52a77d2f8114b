//! When a client that reads nothing, or too slowly, is closed. Pure: takes `now`.

use std::time::Duration;

use tokio::time::Instant;

/// How many bytes a client has to read per write timeout, on average.
const BYTES_PER_TIMEOUT: usize = 64 << 10;

/// Watches a flush. Each byte that the client reads gives it the whole timeout again, but the flush
/// as a whole has a limit too, because pushers wait for it.
#[derive(Debug)]
pub(super) struct Stall {
    timeout: Duration,
    /// When the client last read something.
    progress: Instant,
    bytes_written: u64,
    /// When the client must have read everything.
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

    /// Whether the client has had its time.
    pub(super) fn is_due(&mut self, now: Instant, bytes_written: u64) -> bool {
        if bytes_written != self.bytes_written {
            self.bytes_written = bytes_written;
            self.progress = now;
        }
        now >= self.deadline()
    }

    /// When the time will be over if the client reads nothing before.
    pub(super) fn deadline(&self) -> Instant {
        self.give_up.min(self.progress + self.timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_client_that_reads_nothing_is_due_after_the_timeout() {
        let start = Instant::now();
        let mut stall = Stall::new(start, 10 * SECOND);
        stall.begin(start, 500);
        stall.add(1 << 20);
        assert!(!stall.is_due(start + 9 * SECOND, 500));
        assert!(stall.is_due(start + 10 * SECOND, 500));
    }

    #[test]
    fn a_client_that_reads_something_has_the_whole_timeout_again() {
        let start = Instant::now();
        let mut stall = Stall::new(start, 10 * SECOND);
        stall.begin(start, 0);
        stall.add(1 << 20);
        assert!(!stall.is_due(start + 9 * SECOND, 1));
        assert!(!stall.is_due(start + 18 * SECOND, 1));
        assert!(stall.is_due(start + 19 * SECOND, 1));
    }

    #[test]
    fn a_client_that_reads_too_slowly_is_due_in_the_end() {
        let start = Instant::now();
        let mut stall = Stall::new(start, 10 * SECOND);
        stall.begin(start, 0);
        stall.add(128 << 10);
        let due = (1..).find(|second| stall.is_due(start + *second * SECOND, u64::from(*second)));
        assert_eq!(due, Some(20));
    }
}
