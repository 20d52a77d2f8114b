//! What is seen of the watched files, and when a change in several steps is over.

use std::{
    collections::BTreeSet,
    mem,
    path::PathBuf,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use notify::{
    Event, EventKind,
    event::{AccessKind, AccessMode, ModifyKind},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout_at},
};
use tracing::debug;

use super::changes;

/// A change is over when there was no other for this long.
const QUIET: Duration = Duration::from_millis(200);
/// Changes that never end are taken for over after this time.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(3);
/// How many of the changed files the log names.
const NAMED_MAX: usize = 8;

/// The changes of the watched files.
#[derive(Debug, Default)]
pub(super) struct Seen {
    changed: Notify,
    /// Files that have changed and that a process still has open to write more.
    unfinished: Mutex<BTreeSet<PathBuf>>,
    /// Files that have changed since the last log line, for that line.
    named: Mutex<BTreeSet<PathBuf>>,
}

impl Seen {
    /// Takes an event of the system.
    pub(super) fn note(&self, event: notify::Result<Event>) {
        let Some(Event { kind, paths, .. }) = event.ok().filter(|event| !event.paths.is_empty())
        else {
            // Events were lost, or the watcher has failed. Nobody knows what has changed.
            changes::count_everywhere();
            self.unfinished().clear();
            return self.changed.notify_one();
        };
        match kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                let mut unfinished = self.unfinished();
                if !paths.iter().any(|path| unfinished.contains(path)) {
                    return;
                }
                unfinished.retain(|path| !paths.contains(path));
            }
            // Reading a file is no change.
            EventKind::Access(_) => return,
            EventKind::Modify(ModifyKind::Data(_)) => {
                self.name(&paths);
                paths.iter().for_each(|path| changes::count(path));
                self.unfinished().extend(paths);
            }
            EventKind::Any
            | EventKind::Create(_)
            | EventKind::Modify(_)
            | EventKind::Remove(_)
            | EventKind::Other => {
                self.name(&paths);
                paths.iter().for_each(|path| changes::count(path));
                // Renamed and removed files have other names by now, or none.
                if !matches!(kind, EventKind::Modify(ModifyKind::Metadata(_))) {
                    self.unfinished().retain(|path| !paths.contains(path));
                }
            }
        }
        self.changed.notify_one();
    }

    /// Waits for a change, or until `again`. Then waits until there are no more changes, and until
    /// all files that have changed are closed: a file that is open is not complete.
    pub(super) async fn settled(&self, again: Option<Instant>) {
        match again {
            None => self.changed.notified().await,
            Some(again) => {
                if timeout_at(again, self.changed.notified()).await.is_err() {
                    return;
                }
            }
        }
        let latest = Instant::now() + QUIET_WAIT_MAX;
        loop {
            let quiet = if self.unfinished().is_empty() { QUIET } else { QUIET_WAIT_MAX };
            tokio::select! {
                biased;
                more = timeout_at(latest, self.changed.notified()) => if more.is_err() { break },
                () = sleep(quiet) => return,
            }
        }
        // A file that stays open, such as a log, delays no later change.
        self.unfinished().clear();
    }

    /// Logs which files have changed.
    pub(super) fn log(&self) {
        let files = mem::take(&mut *self.named());
        if !files.is_empty() {
            debug!(?files, "files have changed");
        }
    }

    fn name(&self, paths: &[PathBuf]) {
        let mut named = self.named();
        let room = NAMED_MAX.saturating_sub(named.len());
        named.extend(paths.iter().take(room).cloned());
    }

    fn named(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.named.lock().expect("nothing panics with the lock held")
    }

    fn unfinished(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.unfinished.lock().expect("nothing panics with the lock held")
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use notify::{
        Event, EventKind,
        event::{AccessKind, AccessMode, DataChange, ModifyKind},
    };
    use tokio::time::{Instant, sleep};

    use super::Seen;

    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));

    fn note(seen: &Seen, kind: EventKind) {
        seen.note(Ok(Event::new(kind).add_path(Path::new("/of-this-test/file").to_owned())));
    }

    /// A program truncates a file, and writes its content later.
    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_open_for_writing_is_waited_for() {
        let (seen, began) = (Seen::default(), Instant::now());
        let write = async {
            note(&seen, WRITTEN);
            sleep(Duration::from_secs(1)).await;
            note(&seen, WRITTEN);
            note(&seen, CLOSED);
        };
        tokio::join!(seen.settled(None), write);
        assert_eq!(began.elapsed().as_millis(), 1200);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_stays_open_is_waited_for_once() {
        let (seen, began) = (Seen::default(), Instant::now());
        note(&seen, WRITTEN);
        seen.settled(None).await;
        assert_eq!(began.elapsed().as_secs(), 3);
        seen.note(Ok(Event::new(EventKind::Remove(notify::event::RemoveKind::Any))
            .add_path("/of-this-test/other".into())));
        seen.settled(None).await;
        assert_eq!(began.elapsed().as_millis(), 3200);
    }
}
