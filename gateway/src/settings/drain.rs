//! `[drain]`: how the gateway shuts down.

use std::time::Duration;

use daemon::settings::{Section, duration};

use super::{HOUR, MILLISECOND};

/// The settings of a shutdown.
#[derive(Debug, Clone, PartialEq)]
pub struct DrainSettings {
    /// `delay`: how long clients are still accepted, while `/readyz` already answers 503.
    pub delay: Duration,
    /// `spread`: the time over which the connections are closed, so that not all clients come back
    /// at once.
    pub spread: Duration,
    /// `timeout`: how long the whole shutdown may take.
    pub timeout: Duration,
}

/// The most that `spread` is when it is not set.
const SPREAD: Duration = Duration::from_secs(5);

impl DrainSettings {
    pub(super) fn read(section: &mut Section) -> Self {
        let time = duration(Duration::ZERO..=HOUR);
        let delay = section.read_or("delay", &time, "0s");
        let timeout = section.read_or("timeout", &duration(MILLISECOND..=HOUR), "30s");
        let spread = section.read_derived(
            "spread",
            &time,
            "5s, or half of (timeout - delay) if that is less",
        );
        // A short timeout alone must not be an error because of the default of another key.
        let spread = spread.unwrap_or(SPREAD.min(timeout.saturating_sub(delay) / 2));
        if delay + spread >= timeout {
            let both = delay + spread;
            let what = format!("is {timeout:?}; use more than delay and spread together, {both:?}");
            section.problem("timeout", what);
        }
        Self { delay, spread, timeout }
    }
}
