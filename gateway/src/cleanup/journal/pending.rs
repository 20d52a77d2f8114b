//! Changes that are not on disk yet.
//!
//! They say what has happened already, so nobody waits for them: they are written with whatever is
//! written next, a few milliseconds later at most. Should the process die before, a cleanup is
//! delivered once more.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, MutexGuard},
};

use super::record::{Change, Subject};

/// What waits to be written, debts before dead letters, which are made of them. One change for
/// each subject: the last one says all.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    changes: BTreeMap<Subject, Change>,
    /// Whether the writer sleeps and has to be woken.
    asleep: bool,
}

impl Pending {
    /// Adds a change. Whether the writer has to be woken.
    pub(super) fn add(&self, change: Change) -> bool {
        let mut state = self.lock();
        state.changes.insert(change.subject(), change);
        mem::take(&mut state.asleep)
    }

    /// Takes all there are.
    pub(super) fn take(&self) -> BTreeMap<Subject, Change> {
        mem::take(&mut self.lock().changes)
    }

    /// Puts back what could not be written. What has come meanwhile is newer.
    pub(super) fn put_back(&self, changes: BTreeMap<Subject, Change>) {
        let mut state = self.lock();
        let newer = mem::replace(&mut state.changes, changes);
        state.changes.extend(newer);
    }

    /// The writer is about to sleep. Whether it may: nothing waits.
    pub(super) fn fall_asleep(&self) -> bool {
        let mut state = self.lock();
        state.asleep = state.changes.is_empty();
        state.asleep
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}
