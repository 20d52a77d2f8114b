//! When the proof of a client expires.

use std::time::SystemTime;

use tokio::time::Instant;

/// When a connection is to be closed, because the proof of its client expires.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expiry {
    /// By the timer, which stands still while the machine sleeps. None if that is too far away.
    pub(super) at: Option<Instant>,
    /// By the clock, which may have been set meanwhile.
    pub(super) clock: SystemTime,
}

impl Expiry {
    pub(crate) fn new(clock: SystemTime) -> Self {
        let left = clock.duration_since(SystemTime::now()).unwrap_or_default();
        Self { at: Instant::now().checked_add(left), clock }
    }

    /// Whether the time has come. To be asked at `at`, and from time to time.
    pub(super) fn has_come(&self, now: Instant) -> bool {
        self.at.is_some_and(|at| now >= at) || SystemTime::now() >= self.clock
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_that_is_too_far_away_for_the_timer_has_not_come() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(i64::MAX as u64 - 1);
        assert!(!Expiry::new(far).has_come(Instant::now()));
        let [soon, past] = [60, 0].map(Duration::from_secs);
        assert!(!Expiry::new(SystemTime::now() + soon).has_come(Instant::now()));
        assert!(Expiry::new(SystemTime::now() - past).has_come(Instant::now()));
    }
}
