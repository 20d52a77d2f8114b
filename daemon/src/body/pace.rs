//! How fast the peer of a body has to send. Pure: takes `now`.

use std::time::Duration;

use tokio::time::Instant;

/// How many bytes give a peer the whole timeout again. A peer that sends single bytes would hold
/// its memory for long otherwise.
const BYTES: usize = 16 << 10;

/// The pace of one body.
#[derive(Debug)]
pub(super) struct Pace {
    timeout: Duration,
    deadline: Instant,
    bytes: usize,
}

impl Pace {
    /// The peer has `timeout` for the next [`BYTES`].
    pub(super) fn begin(now: Instant, timeout: Duration) -> Self {
        Self { timeout, deadline: now + timeout, bytes: 0 }
    }

    /// Bytes have come.
    pub(super) fn came(&mut self, now: Instant, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= BYTES {
            *self = Self::begin(now, self.timeout);
        }
    }

    /// When the peer will have had its time.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    #[test]
    fn only_enough_bytes_give_the_whole_timeout_again() {
        let start = Instant::now();
        let mut pace = Pace::begin(start, TIMEOUT);
        pace.came(start + TIMEOUT / 2, BYTES - 1);
        assert_eq!(pace.deadline(), start + TIMEOUT);
        pace.came(start + TIMEOUT / 2, 1);
        assert_eq!(pace.deadline(), start + TIMEOUT / 2 + TIMEOUT);
        pace.came(start + TIMEOUT, BYTES - 1);
        assert_eq!(pace.deadline(), start + TIMEOUT / 2 + TIMEOUT);
    }
}
