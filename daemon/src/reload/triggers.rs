//! The triggers of a reload: SIGHUP, and changes of files.

use std::{
    fmt, io, iter,
    path::{Path, PathBuf},
    sync::Arc,
};

use notify::{Config, Event, RecommendedWatcher, Watcher};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
    time::Instant,
};
use tracing::warn;

use super::{seen::Seen, watched::Watched};

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
    watcher: Option<(RecommendedWatcher, Arc<Watched>)>,
}

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
    pub fn watch(&mut self, file: &Path, folders: Vec<PathBuf>) {
        self.folders = folders;
        if self.is_watching {
            self.take(Watched::new(&self.files(file), &self.folders));
        }
    }

    /// Watches the same by name, which may be something else by now: links may have been made or
    /// switched, and folders replaced.
    pub(crate) async fn watch_again(&mut self, file: &Path) {
        if self.is_watching {
            let (files, folders) = (self.files(file), self.folders.clone());
            // Blocking: all files are looked at.
            let look = move || Watched::new(&files, &folders);
            let watched = spawn_blocking(look).await;
            self.take(watched.expect("looking at files does not panic"));
        }
    }

    /// `file`, and those beside it.
    fn files(&self, file: &Path) -> Vec<PathBuf> {
        iter::once(file.to_owned()).chain(self.beside.iter().cloned()).collect()
    }

    fn take(&mut self, watched: Watched) {
        let watched = Arc::new(watched);
        watched.count();
        if let Some((_, current)) = &self.watcher
            && watched == *current
        {
            return;
        }
        if let Some(mut watcher) = watcher(Arc::clone(&self.seen), Arc::clone(&watched)) {
            watched.watch_with(&mut watcher);
            // The old watcher is dropped only now, so that no change is missed in between.
            self.watcher = Some((watcher, watched));
        }
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

fn watcher(seen: Arc<Seen>, watched: Arc<Watched>) -> Option<RecommendedWatcher> {
    // Links are followed by us: the library would follow them without a bound.
    let config = Config::default().with_follow_symlinks(false);
    let note = move |event: notify::Result<Event>| {
        let is_other = |event: &Event| {
            !event.paths.is_empty() && !event.paths.iter().any(|path| watched.concerns(path))
        };
        if !event.as_ref().is_ok_and(is_other) {
            seen.note(event);
        }
    };
    match RecommendedWatcher::new(note, config) {
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
