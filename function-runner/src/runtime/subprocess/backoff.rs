//! Whether to start another instance of a function whose instances do not come up.

use std::time::Duration;

use tokio::time::Instant;

use crate::invocation::Fault;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// Failures in a row, and how long to leave it alone after the last one.
#[derive(Debug, Default)]
pub(super) struct StartBackoff {
    failures: u32,
    last: Option<(Instant, Fault)>,
}

impl StartBackoff {
    /// An instance failed before it had done anything. The pause that follows.
    pub(super) fn failed(&mut self, now: Instant, fault: Fault) -> Duration {
        let pause = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.last = Some((now + pause, fault));
        pause
    }

    /// An instance did something useful.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Until when nothing is to be started, and why.
    pub(super) fn pause(&self, now: Instant) -> Option<(Instant, Fault)> {
        self.last.clone().filter(|(until, _)| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::invocation::InvocationFault;
    use tokio::time::Instant;

    use super::StartBackoff;
    use crate::invocation::Fault;

    #[test]
    fn each_failure_doubles_the_pause_and_a_success_ends_it() {
        let now = Instant::now();
        let fault = Fault::new(InvocationFault::LoadFailed, "no luck");
        let mut backoff = StartBackoff::default();
        assert!(backoff.pause(now).is_none());
        let pauses: Vec<_> =
            (0..9).map(|_| backoff.failed(now, fault.clone()).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        let (until, why) = backoff.pause(now).unwrap();
        assert_eq!((until, why), (now + Duration::from_secs(10), fault));
        assert!(backoff.pause(until).is_none());
        backoff.succeeded();
        assert!(backoff.pause(now).is_none());
    }
}
