//! How long the bodies of one kind may take, and when they begin to take memory.

use std::time::Duration;

use crate::pace::MinRate;

/// How many bytes of a body give its peer the whole time again.
const BYTES: u64 = 16 << 10;

/// The rules for the bodies that share one memory.
#[derive(Debug, Clone, Copy)]
pub struct BodyRules {
    /// How long a body waits for memory.
    pub memory_timeout: Duration,
    /// How long a body may take to arrive, whatever its size.
    pub timeout: Duration,
    /// How long the peer of a body may take for the next 16 KiB.
    pub slow: Duration,
    /// The same while other bodies wait for memory, for a body that has taken some.
    pub slow_while_others_wait: Duration,
    /// How many bytes of a body come before it takes memory.
    pub free_bytes: usize,
}

impl BodyRules {
    /// The rules for the bodies of requests, which wait for memory for `memory_timeout` at most.
    pub(super) fn of_requests(memory_timeout: Duration) -> Self {
        Self {
            memory_timeout,
            timeout: Duration::from_secs(30),
            slow: Duration::from_secs(5),
            slow_while_others_wait: Duration::from_millis(250),
            free_bytes: 0,
        }
    }

    /// How fast a body must come.
    pub(super) fn rate(&self) -> MinRate {
        MinRate { bytes: BYTES, timeout: self.slow }
    }

    /// The same while other bodies wait for memory.
    pub(super) fn rate_while_others_wait(&self) -> MinRate {
        MinRate { bytes: BYTES, timeout: self.slow_while_others_wait }
    }
}
