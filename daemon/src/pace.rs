//! How fast a peer has to send or to read. Pure: takes `now`.

use std::time::Duration;

use tokio::time::Instant;

/// So many bytes within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinRate {
    /// How many bytes give the peer the whole timeout again. A peer that moves single bytes would
    /// hold its connection for ever otherwise.
    pub bytes: u64,
    /// How long the peer may take for these bytes.
    pub timeout: Duration,
}

/// Watches whether a transfer keeps its rate.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    rate: MinRate,
    deadline: Instant,
    /// How many bytes in all give the peer the whole timeout again.
    goal: u64,
}

impl Pace {
    /// The peer has the whole timeout from `now` on. `total` bytes have been moved before.
    pub fn begin(now: Instant, rate: MinRate, total: u64) -> Self {
        Self { rate, deadline: now + rate.timeout, goal: total + rate.bytes }
    }

    /// `total` bytes have been moved. Asks for the time only when that is enough.
    pub fn moved(&mut self, now: impl FnOnce() -> Instant, total: u64) {
        if total >= self.goal {
            *self = Self::begin(now(), self.rate, total);
        }
    }

    /// Time has passed that does not count, because nothing was asked of the peer.
    pub fn postpone(&mut self, by: Duration) {
        self.deadline += by;
    }

    /// When the peer will have been too slow.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RATE: MinRate = MinRate { bytes: 100, timeout: Duration::from_secs(10) };

    #[test]
    fn only_enough_bytes_give_the_whole_timeout_again() {
        let start = Instant::now();
        let mut pace = Pace::begin(start, RATE, 1000);
        pace.moved(|| start + 4 * SECOND, 1000 + 99);
        assert_eq!(pace.deadline(), start + 10 * SECOND);
        pace.moved(|| start + 5 * SECOND, 1000 + 100);
        assert_eq!(pace.deadline(), start + 15 * SECOND);
        pace.moved(|| start + 14 * SECOND, 1000 + 199);
        assert_eq!(pace.deadline(), start + 15 * SECOND);
    }

    #[test]
    fn a_peer_that_keeps_the_rate_has_all_the_time_that_it_needs() {
        let start = Instant::now();
        let mut pace = Pace::begin(start, RATE, 0);
        for second in 1..1000_u32 {
            let now = start + second * SECOND;
            assert!(now < pace.deadline());
            pace.moved(|| now, u64::from(second) * 12);
        }
    }

    #[test]
    fn time_that_does_not_count_postpones_the_deadline() {
        let start = Instant::now();
        let mut pace = Pace::begin(start, RATE, 0);
        pace.postpone(60 * SECOND);
        assert_eq!(pace.deadline(), start + 70 * SECOND);
    }
}
