//! The clock of cleanups. The wall clock is read once: a clock that is set while the process runs
//! makes no cleanup due earlier or later.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Clock {
    wall: SystemTime,
    monotonic: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { wall: SystemTime::now(), monotonic: Instant::now() }
    }

    /// When this process began.
    pub(super) fn started(&self) -> Instant {
        self.monotonic
    }

    /// The time at `instant`, which is not before the start.
    pub(super) fn at(&self, instant: Instant) -> SystemTime {
        self.wall + instant.saturating_duration_since(self.monotonic)
    }

    pub(super) fn now(&self) -> SystemTime {
        self.wall + self.monotonic.elapsed()
    }

    /// How long it is until `time`.
    pub(super) fn until(&self, time: SystemTime) -> Duration {
        time.duration_since(self.now()).unwrap_or_default()
    }
}
