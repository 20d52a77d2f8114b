//! What the journal's thread tells all others about the file.

use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Default)]
pub(super) struct Health {
    is_failing: AtomicBool,
    is_taken: AtomicBool,
}

impl Health {
    /// Whether the last write or read has failed.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Returns what was the case before.
    pub(super) fn set_failing(&self, is_failing: bool) -> bool {
        self.is_failing.swap(is_failing, Ordering::Relaxed)
    }

    /// Whether another process has taken the files away, so that the next start will not find them.
    pub(super) fn is_taken(&self) -> bool {
        self.is_taken.load(Ordering::Relaxed)
    }

    pub(super) fn set_taken(&self, is_taken: bool) {
        self.is_taken.store(is_taken, Ordering::Relaxed);
    }
}
