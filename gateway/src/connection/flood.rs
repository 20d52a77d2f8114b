//! When a client sends too many frames without a payload. Pure: takes `now`.
//!
//! Such a frame costs the gateway as much work as one with a payload, and its client almost
//! nothing. Frames with a payload are bounded by what they carry: the inbox, and the size of a
//! message.

use std::time::Duration;

use tokio::time::Instant;

/// How many frames without a payload a client may send in a second.
const FRAMES_PER_SECOND: u64 = 1000;

/// Counts the frames without a payload of one second after the other.
#[derive(Debug)]
pub(super) struct Flood {
    second: Instant,
    /// How many frames had come when this second began.
    frames_before: u64,
}

impl Flood {
    pub(super) fn new(now: Instant) -> Self {
        Self { second: now, frames_before: 0 }
    }

    /// Whether the client sends too many. `frames` have come since the connection was opened.
    pub(super) fn is_over(&mut self, now: Instant, frames: u64) -> bool {
        if now >= self.second + Duration::from_secs(1) {
            *self = Self { second: now, frames_before: frames };
        }
        frames - self.frames_before > FRAMES_PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::End;

    #[test]
    fn the_close_names_the_limit() {
        let close = End::FLOOD.close_frame().unwrap();
        assert!(close.reason.contains(&format!("more than {FRAMES_PER_SECOND} frames")), "{close}");
    }

    #[test]
    fn a_client_has_a_number_of_empty_frames_for_each_second() {
        let start = Instant::now();
        let mut flood = Flood::new(start);
        for tenth in 0..100_u32 {
            let now = start + Duration::from_millis(100) * tenth;
            assert!(!flood.is_over(now, u64::from(tenth) * 100), "a thousand in each second");
        }
        let now = start + Duration::from_secs(20);
        assert!(!flood.is_over(now, 20_000));
        assert!(!flood.is_over(now, 21_000));
        assert!(flood.is_over(now, 21_001));
    }
}
