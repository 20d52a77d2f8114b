//! Which of many log lines that say the same are logged.

use std::{collections::HashMap, hash::Hash, mem, sync::Mutex, time::Duration};

use tokio::time::Instant;

/// Gives each subject a turn to be logged once in a pause. There have to be few subjects.
#[derive(Debug)]
pub struct LineTurns<S> {
    pause: Duration,
    last: Mutex<HashMap<S, LastLine>>,
}

#[derive(Debug)]
struct LastLine {
    at: Instant,
    left_out: u64,
}

impl<S: Eq + Hash + Clone> LineTurns<S> {
    /// No subject has had a turn yet.
    pub fn new(pause: Duration) -> Self {
        Self { pause, last: Mutex::default() }
    }

    /// How many lines about `subject` were left out since the last one. None if this one is left
    /// out too, since there was a line a moment ago.
    pub fn turn(&self, subject: &S, now: Instant) -> Option<u64> {
        let mut lines = self.last.lock().expect("nothing panics with the lock held");
        let Some(last) = lines.get_mut(subject) else {
            lines.insert(subject.clone(), LastLine { at: now, left_out: 0 });
            return Some(0);
        };
        if now < last.at + self.pause {
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
    fn each_subject_has_one_line_in_a_pause() {
        let pause = Duration::from_secs(10);
        let (lines, now) = (LineTurns::new(pause), Instant::now());
        assert_eq!(lines.turn(&"a", now), Some(0));
        assert_eq!(lines.turn(&"a", now), None);
        assert_eq!(lines.turn(&"a", now + pause / 2), None);
        assert_eq!(lines.turn(&"b", now), Some(0));
        assert_eq!(lines.turn(&"a", now + pause), Some(2));
        assert_eq!(lines.turn(&"a", now + 2 * pause), Some(0));
    }
}
