//! Changes that are not on disk yet.
//!
//! Nobody waits for a change, since it says what has happened already. It is written together with
//! the next debt, a few milliseconds later at most. If the process dies before that, a cleanup is
//! delivered once more.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, MutexGuard},
};

use super::record::{Change, Subject};

/// Changes that wait to be written: those of debts before those of dead letters, which are made
/// from debts. There is one change for each subject, because the last one replaces those before.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    changes: BTreeMap<Subject, Change>,
    /// Whether the writer waits to be woken.
    asleep: bool,
}

impl Pending {
    /// Adds a change, and returns whether the writer has to be woken.
    pub(super) fn add(&self, change: Change) -> bool {
        let mut state = self.lock();
        state.changes.insert(change.subject(), change);
        mem::take(&mut state.asleep)
    }

    /// Takes all changes out.
    pub(super) fn take(&self) -> BTreeMap<Subject, Change> {
        mem::take(&mut self.lock().changes)
    }

    /// Puts back changes that could not be written. Changes that have come since are newer.
    pub(super) fn put_back(&self, changes: BTreeMap<Subject, Change>) {
        let mut state = self.lock();
        let newer = mem::replace(&mut state.changes, changes);
        state.changes.extend(newer);
    }

    /// Notes that the writer waits to be woken, and returns whether it may: no change is left.
    pub(super) fn fall_asleep(&self) -> bool {
        let mut state = self.lock();
        state.asleep = state.changes.is_empty();
        state.asleep
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}
