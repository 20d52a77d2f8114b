//! The triggers of a reload: SIGHUP, and changes of files.

use std::{
    fmt, io, iter,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{Config, Event, EventKindMask, RecommendedWatcher, Watcher};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
    time::{Instant, sleep},
};
use tracing::{info, warn};

use super::{seen::Seen, watched::Watched};

/// A look at all files that takes longer is told to the log.
const LONG: Duration = Duration::from_secs(3);

/// Why the settings are read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Somebody asked for it.
    Hangup,
    /// A watched file has changed. The change may not be over.
    Change,
}

/// Says when to read the settings again.
#[derive(Debug)]
pub struct ReloadTriggers {
    hangup: Signal,
    seen: Arc<Seen>,
    is_watching: bool,
    /// When to look at the file again although nothing has changed.
    again: Option<Instant>,
    /// Other files, which decide too whether what is read can be used.
    beside: Vec<PathBuf>,
    /// The folders that the settings name.
    pub(super) folders: Vec<PathBuf>,
    /// None while no files are watched.
    watcher: Current,
}

type Current = Option<(RecommendedWatcher, Arc<Watched>)>;

impl ReloadTriggers {
    /// Receives SIGHUP from now on. With `watch`, files can be watched too. Must be called within a
    /// runtime.
    pub fn listen(watch: bool) -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            seen: Arc::default(),
            is_watching: watch,
            again: None,
            beside: Vec::new(),
            folders: Vec::new(),
            watcher: None,
        })
    }

    /// Watches `file` together with the files that are watched later.
    #[must_use]
    pub fn beside(mut self, file: PathBuf) -> Self {
        self.beside.push(file);
        self
    }

    /// Watches `file`, and `folders` with everything in them and behind their links, in place of
    /// the files and folders that were watched before. Looks at all files.
    pub async fn watch(&mut self, file: &Path, folders: Vec<PathBuf>) {
        self.folders = folders;
        self.watch_again(file).await;
    }

    /// Watches the same by name, which may be something else by now: links may have been made or
    /// switched, and folders replaced. Returns whether it is: what has changed there before now was
    /// not seen.
    pub(crate) async fn watch_again(&mut self, file: &Path) -> bool {
        if !self.is_watching {
            return false;
        }
        let (files, folders) = (self.files(file), self.folders.clone());
        let seen = Arc::clone(&self.seen);
        let current = self.watcher.take();
        let before = current.as_ref().map(|(_, watched)| Arc::clone(watched));
        // Blocking: all files are looked at, and the system is asked to watch each folder.
        let mut looking =
            spawn_blocking(move || take(Watched::new(&files, &folders), current, seen));
        let looked = tokio::select! {
            looked = &mut looking => looked,
            () = sleep(LONG) => {
                let folders = &self.folders;
                info!(?folders, "looking at all files of these folders, and behind their links, \
                      takes long");
                looking.await
            }
        };
        self.watcher = looked.expect("looking at files does not panic");
        let is_same = |now| before.is_some_and(|before| Arc::ptr_eq(&before, now));
        self.watcher.as_ref().is_some_and(|(_, watched)| !is_same(watched))
    }

    /// Whether files are watched, and not only SIGHUP.
    pub(super) fn is_watching(&self) -> bool {
        self.is_watching
    }

    /// `file`, and those beside it.
    fn files(&self, file: &Path) -> Vec<PathBuf> {
        iter::once(file.to_owned()).chain(self.beside.iter().cloned()).collect()
    }

    /// Waits for a trigger.
    pub async fn next(&mut self) -> Trigger {
        let again = self.again.take();
        tokio::select! {
            _ = self.hangup.recv() => Trigger::Hangup,
            () = self.seen.settled(again) => {
                self.seen.log();
                Trigger::Change
            }
        }
    }

    /// The next trigger comes at `again`, if no other comes before.
    pub(crate) fn again_at(&mut self, again: Instant) {
        self.again = Some(again);
    }

    /// What is seen of the watched files.
    #[cfg(test)]
    pub(super) fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen)
    }
}

/// Has `watched` watched in place of what is watched now.
fn take(watched: Watched, current: Current, seen: Arc<Seen>) -> Current {
    let watched = Arc::new(watched);
    watched.count();
    if let Some((_, before)) = &current
        && watched == *before
    {
        return current;
    }
    let Some(mut watcher) = watcher(seen, Arc::clone(&watched)) else { return current };
    watched.watch_with(&mut watcher);
    // The old watcher is dropped only now, so that no change is missed in between.
    drop(current);
    Some((watcher, watched))
}

/// What the system tells of watched files: changes, and the end of writing. Not that files are
/// read: a look at many files would tell of itself until other events are lost.
fn config() -> Config {
    let kinds = EventKindMask::CORE | EventKindMask::ACCESS_CLOSE;
    // Links are followed by us: the library would follow them without a bound.
    Config::default().with_follow_symlinks(false).with_event_kinds(kinds)
}

fn watcher(seen: Arc<Seen>, watched: Arc<Watched>) -> Option<RecommendedWatcher> {
    let note = move |event: notify::Result<Event>| {
        let is_other = |event: &Event| {
            !event.paths.is_empty() && !event.paths.iter().any(|path| watched.concerns(path))
        };
        if !event.as_ref().is_ok_and(is_other) {
            seen.note(event);
        }
    };
    match RecommendedWatcher::new(note, config()) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            warn!(%error, "files cannot be watched: use SIGHUP to have settings read again");
            None
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hangup => "SIGHUP",
            Self::Change => "a change of files",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, slice, sync::mpsc};

    use notify::{RecommendedWatcher, Watcher};
    use tempfile::TempDir;

    use super::{ReloadTriggers, config};
    use crate::reload::{changes, places::walk, watched::Watched};

    /// A folder with so many folders in it, and a link to another folder with as many.
    fn tree(folders: usize) -> TempDir {
        let tree = tempfile::tempdir().unwrap();
        for folder in 0..folders {
            for name in ["code", "shared"] {
                let folder = tree.path().join(name).join(folder.to_string());
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("index.py"), "").unwrap();
            }
        }
        symlink("../shared", tree.path().join("code/vendor")).unwrap();
        tree
    }

    /// There is one thread for tasks. It would wait for itself if it looked at the files.
    #[tokio::test]
    async fn other_tasks_run_while_all_files_are_looked_at() {
        let tree = tree(500);
        let mut triggers = ReloadTriggers::listen(true).unwrap();
        let held = changes::held();
        let other = async move { drop(held) };
        let file = tree.path().join("settings");
        tokio::join!(triggers.watch(&file, vec![tree.path().join("code")]), other);
        assert!(triggers.watcher.is_some());
    }

    #[test]
    fn reading_files_is_no_event() {
        let tree = tree(50);
        let (sender, events) = mpsc::channel();
        let mut watcher = RecommendedWatcher::new(sender, config()).unwrap();
        let code = tree.path().join("code");
        let look = || Watched::new(&[], slice::from_ref(&code));
        look().watch_with(&mut watcher);
        look();
        walk(&code, |path, metadata| {
            if metadata.is_some_and(|metadata| metadata.is_file()) {
                fs::read(path).unwrap();
            }
        });
        fs::create_dir(code.join("last")).unwrap();
        let first = events.recv().unwrap().unwrap();
        assert!(first.kind.is_create(), "{first:?}");
    }
}
