//! New content of a settings file, until the file is complete.
//!
//! Many programs save a file in steps: they make it empty, then write it piece by piece. A file
//! that is cut off may be read without an error, and has fewer functions than before and after.

use std::time::Duration;

use tokio::time::Instant;

/// A file is complete when it has been the same for this long.
const STABLE: Duration = Duration::from_secs(1);

/// The content that was read last and is not in use, and when it was read first.
#[derive(Debug, Default)]
pub(super) struct Draft(Option<(String, Instant)>);

impl Draft {
    /// The file has `text` now. Returns when to look again, or `None` if the file is complete.
    pub(super) fn complete_at(&mut self, text: &str, now: Instant) -> Option<Instant> {
        match &self.0 {
            Some((known, since)) if known == text => {
                let complete = *since + STABLE;
                (now < complete).then_some(complete)
            }
            _ => {
                self.0 = Some((text.to_owned(), now));
                Some(now + STABLE)
            }
        }
    }

    /// The file has the content that is in use.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}
