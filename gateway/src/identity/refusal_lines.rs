//! Which refusals get a log line. A forger may send thousands of handshakes in a second.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

/// Refusals of one API have one line in this time.
const PAUSE: Duration = Duration::from_secs(10);

/// The last line for each API. There are as many as APIs.
#[derive(Debug, Default)]
pub(super) struct RefusalLines(Mutex<HashMap<Arc<str>, LastLine>>);

#[derive(Debug)]
struct LastLine {
    at: Instant,
    left_out: u64,
}

impl RefusalLines {
    /// How many lines of the API were left out before this one. None if this one is left out too.
    pub(super) fn turn(&self, api_id: &Arc<str>, now: Instant) -> Option<u64> {
        let mut lines = self.0.lock().expect("nothing panics with the lock held");
        let Some(last) = lines.get_mut(api_id) else {
            lines.insert(Arc::clone(api_id), LastLine { at: now, left_out: 0 });
            return Some(0);
        };
        if now < last.at + PAUSE {
            last.left_out += 1;
            return None;
        }
        last.at = now;
        Some(mem::take(&mut last.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_an_api_have_one_line_in_ten_seconds() {
        let (lines, now) = (RefusalLines::default(), Instant::now());
        let [a, b] = ["a", "b"].map(Arc::from);
        assert_eq!(lines.turn(&a, now), Some(0));
        assert_eq!(lines.turn(&a, now), None);
        assert_eq!(lines.turn(&a, now + PAUSE / 2), None);
        assert_eq!(lines.turn(&b, now), Some(0));
        assert_eq!(lines.turn(&a, now + PAUSE), Some(2));
        assert_eq!(lines.turn(&a, now + 2 * PAUSE), Some(0));
    }
}
