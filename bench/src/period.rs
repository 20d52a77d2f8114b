//! The time in which a load runs, and the part of it that is measured.

use std::{
    fmt,
    time::{Duration, Instant},
};

use clap::Args;
use tokio::time::sleep_until;

use crate::target::running::RunningTarget;

/// The lengths of warm-up and measurement.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Lengths {
    /// Seconds that are measured
    #[arg(long, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Seconds before the measurement, which are not counted
    #[arg(long, default_value_t = 2.0)]
    pub(crate) warm_up: f64,
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s after {} s of warm-up", self.seconds, self.warm_up)
    }
}

/// First the warm-up, then the measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    counted_from: Instant,
    until: Instant,
}

impl Period {
    /// Begins now.
    pub(crate) fn begin(lengths: Lengths) -> Self {
        let counted_from = Instant::now() + Duration::from_secs_f64(lengths.warm_up);
        Self { counted_from, until: counted_from + Duration::from_secs_f64(lengths.seconds) }
    }

    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.until
    }

    /// Whether `now` is within the measurement.
    pub(crate) fn counts(&self, now: Instant) -> bool {
        self.counted_from <= now && now < self.until
    }

    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// The length of the measurement, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        (self.until - self.counted_from).as_secs_f64()
    }

    /// The processor time that the target uses during the measurement.
    pub(crate) async fn cpu(&self, running: &RunningTarget) -> anyhow::Result<Duration> {
        sleep_until(self.counted_from.into()).await;
        let before = running.cpu()?;
        sleep_until(self.until.into()).await;
        Ok(running.cpu()?.saturating_sub(before))
    }
}
