//! The `[drain]` table of `gateway.toml`.

use std::time::Duration;

use daemon::settings::{Section, duration};

use super::{HOUR, MILLISECOND};

/// How the gateway shuts down.
#[derive(Debug, Clone, PartialEq)]
pub struct DrainSettings {
    /// `delay`: how long clients are still taken in, while `/readyz` says 503 already. Default 0s.
    pub delay: Duration,
    /// `spread`: the time over which the connections are closed, so that not all clients come back
    /// at once. Default 5s.
    pub spread: Duration,
    /// `timeout`: how long all of it may take. Default 30s.
    pub timeout: Duration,
}

impl DrainSettings {
    pub(super) fn read(section: &mut Section) -> Self {
        let time = duration(Duration::ZERO..=HOUR);
        let delay = section.read("delay", &time).unwrap_or(Duration::ZERO);
        let timeout = section.read("timeout", &duration(MILLISECOND..=HOUR));
        let timeout = timeout.unwrap_or(Duration::from_secs(30));
        // A short timeout alone is not an error that the default of another key makes.
        let rest = timeout.saturating_sub(delay);
        let spread = section.read("spread", &time);
        let settings =
            Self { delay, spread: spread.unwrap_or(Duration::from_secs(5).min(rest / 2)), timeout };
        if settings.delay + settings.spread >= settings.timeout {
            let Self { delay, spread, timeout } = &settings;
            section.problem(
                "timeout",
                format!(
                    "is {timeout:?}; use more than delay and spread together, {:?}",
                    *delay + *spread
                ),
            );
        }
        settings
    }
}
