//! Times as numbers, for logs, headers and JSON.

use std::time::Duration;

/// The whole milliseconds of `duration`.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
