//! What is seen of the watched files, and when a change in several steps is over.

use std::{
    collections::BTreeSet,
    mem,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
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
/// After events were lost, there is a pause before the look at all files. It doubles from the first
/// to the last of these each time this comes again, since such a look takes long itself.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LAST: Duration = Duration::from_secs(32);
/// How many of the changed files the log names.
const NAMED_MAX: usize = 8;

/// The changes of the watched files.
#[derive(Debug, Default)]
pub(super) struct Seen {
    changed: Notify,
    /// Whether events were lost since the last look at all files.
    has_lost: AtomicBool,
    /// The last pause, if events were lost before the last look.
    pause: Mutex<Option<Duration>>,
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
            self.has_lost.store(true, Ordering::Relaxed);
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
    /// all files that have changed are closed: a file that is open is not complete. If events were
    /// lost, waits for a pause too.
    pub(super) async fn settled(&self, again: Option<Instant>) {
        match again {
            None => self.changed.notified().await,
            Some(again) => {
                if timeout_at(again, self.changed.notified()).await.is_err() {
                    return;
                }
            }
        }
        self.quiet().await;
        let has_lost = self.has_lost.swap(false, Ordering::Relaxed);
        if let Some(pause) = self.next_pause(has_lost) {
            debug!(?pause, "changes came faster than they are read: all files are looked at soon");
            sleep(pause).await;
            // What has changed in the meantime is looked at too.
            self.quiet().await;
            self.has_lost.store(false, Ordering::Relaxed);
        }
    }

    fn next_pause(&self, has_lost: bool) -> Option<Duration> {
        let mut pause = self.pause.lock().expect("nothing panics with the lock held");
        let longer = pause.map_or(PAUSE_FIRST, |pause| (pause * 2).min(PAUSE_LAST));
        *pause = has_lost.then_some(longer);
        *pause
    }

    /// Waits until there are no more changes, for a bounded time.
    async fn quiet(&self) {
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
        event::{AccessKind, AccessMode, CreateKind, DataChange, Flag, ModifyKind},
    };
    use tokio::time::{Instant, sleep};

    use super::Seen;

    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const CREATED: EventKind = EventKind::Create(CreateKind::File);
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

    fn lose(seen: &Seen) {
        seen.note(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    }

    #[tokio::test(start_paused = true)]
    async fn looks_after_lost_events_come_less_and_less_often_until_none_are_lost() {
        let (seen, mut began) = (Seen::default(), Instant::now());
        let mut seconds = Vec::new();
        for _ in 0..8 {
            lose(&seen);
            // Changes that are seen do not bring the look forward.
            tokio::join!(seen.settled(None), async {
                sleep(Duration::from_millis(500)).await;
                note(&seen, CREATED);
            });
            seconds.push(began.elapsed().as_secs());
            began = Instant::now();
        }
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 32, 32]);
        note(&seen, CREATED);
        seen.settled(None).await;
        assert_eq!(began.elapsed().as_millis(), 200);
        lose(&seen);
        seen.settled(None).await;
        assert_eq!(began.elapsed().as_secs(), 1);
    }
}
