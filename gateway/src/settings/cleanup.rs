//! `[cleanup]`: how cleanups are delivered.

use std::time::Duration;

use daemon::settings::{Section, count, duration};

use super::{DAY, MILLISECOND};

/// The settings of cleanups.
#[derive(Debug, Clone, PartialEq)]
pub struct CleanupSettings {
    /// `concurrency`: cleanup calls at once, of each API.
    pub concurrency: usize,
    /// `queue`: cleanups in memory, of each API; the others wait in the journal.
    pub queue: usize,
    /// `max_age`: a cleanup that has not succeeded this long after the end of its connection is
    /// given up.
    pub max_age: Duration,
}

impl CleanupSettings {
    pub(super) fn read(section: &mut Section) -> Self {
        let max_age = duration(MILLISECOND..=30 * DAY);
        Self {
            concurrency: section.read_or("concurrency", &count(1..=10_000), "64"),
            queue: section.read_or("queue", &count(1..=1_000_000), "10000"),
            max_age: section.read_or("max_age", &max_age, "24h"),
        }
    }
}
