//! When a client that reads nothing, or too slowly, is closed. Pure: takes `now`.

use std::time::Duration;

use tokio::time::Instant;

/// How many bytes a client has to read per write timeout, on average.
const BYTES_PER_TIMEOUT: u64 = 64 << 10;

/// Watches a flush. Each byte that the client reads gives it the whole timeout again, but the flush
/// as a whole has a limit too, because pushers wait for it.
#[derive(Debug)]
pub(super) struct Stall {
    timeout: Duration,
    began: Instant,
    /// How many bytes had been written when the flush began.
    bytes_before: u64,
    /// When the client last read something.
    progress: Instant,
    bytes_written: u64,
}

impl Stall {
    /// A flush begins, after `bytes_written` bytes.
    pub(super) fn begin(now: Instant, timeout: Duration, bytes_written: u64) -> Self {
        Self { timeout, began: now, bytes_before: bytes_written, progress: now, bytes_written }
    }

    /// So many bytes have been written by now.
    pub(super) fn written(&mut self, now: Instant, bytes_written: u64) {
        if bytes_written != self.bytes_written {
            self.bytes_written = bytes_written;
            self.progress = now;
        }
    }

    /// When the client has had its time, if it reads nothing before. `bytes_put` bytes are to be written
    /// in the end: those of this flush, and all before it.
    pub(super) fn deadline(&self, bytes_put: u64) -> Instant {
        let bytes = bytes_put.saturating_sub(self.bytes_before);
        let timeouts = u32::try_from(bytes.div_ceil(BYTES_PER_TIMEOUT)).unwrap_or(u32::MAX);
        let whole = self.timeout.saturating_mul(timeouts.max(1));
        (self.began + whole).min(self.progress + self.timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const KIB: u64 = 1 << 10;

    #[test]
    fn a_client_that_reads_nothing_is_due_after_the_timeout() {
        let start = Instant::now();
        let mut stall = Stall::begin(start, 10 * SECOND, 500);
        stall.written(start + 9 * SECOND, 500);
        assert_eq!(stall.deadline(500 + 1024 * KIB), start + 10 * SECOND);
    }

    #[test]
    fn a_client_that_reads_something_has_the_whole_timeout_again() {
        let start = Instant::now();
        let mut stall = Stall::begin(start, 10 * SECOND, 0);
        stall.written(start + 9 * SECOND, 1);
        stall.written(start + 18 * SECOND, 1);
        assert_eq!(stall.deadline(1024 * KIB), start + 19 * SECOND);
    }

    #[test]
    fn a_client_that_reads_too_slowly_is_due_in_the_end() {
        let start = Instant::now();
        let mut stall = Stall::begin(start, 10 * SECOND, 0);
        for second in 1..30 {
            stall.written(start + second * SECOND, second.into());
        }
        assert_eq!(stall.deadline(128 * KIB), start + 20 * SECOND);
    }

    /// A reply or a pong can come to a flush that has begun. The client has time for these bytes too.
    #[test]
    fn bytes_that_come_to_a_flush_extend_it() {
        let start = Instant::now();
        let mut stall = Stall::begin(start, 10 * SECOND, 0);
        stall.written(start + 9 * SECOND, 1);
        assert_eq!(stall.deadline(64 * KIB), start + 10 * SECOND);
        assert_eq!(stall.deadline(64 * KIB + 2), start + 19 * SECOND);
    }
}
