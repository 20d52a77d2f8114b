//! `[drain]`: how the runner shuts down.

use std::time::Duration;

use daemon::settings::{Section, duration};

const HOUR: Duration = Duration::from_hours(1);
/// The most that `delay` is when it is not set.
const DELAY: Duration = Duration::from_secs(2);

/// The settings of a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainSettings {
    /// `delay`: how long invocations are still admitted, while `/readyz` already answers 503.
    pub delay: Duration,
    /// `timeout`: how long the whole shutdown may take, until running invocations are cut off.
    pub timeout: Duration,
    /// Whether callers may say that they drain. Not where the only one is the gateway of the same
    /// process, which has ended when the runner is stopped.
    pub hears_callers: bool,
}

impl DrainSettings {
    pub(super) fn read(section: &mut Section) -> Self {
        let time = duration(Duration::ZERO..=HOUR);
        let timeout = section.read_or("timeout", &time, "30s");
        let delay = section.read_derived("delay", &time, "2s, or timeout if that is less");
        // A short timeout alone must not be an error because of the default of another key.
        let delay = delay.unwrap_or(DELAY.min(timeout));
        if delay > timeout {
            let what = format!("is {delay:?}; use at most timeout, {timeout:?}");
            section.problem("delay", what);
        }
        Self { delay, timeout, hears_callers: true }
    }
}
