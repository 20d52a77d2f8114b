//! The triggers of a reload: SIGHUP, and changes of files.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};
use tracing::warn;

use super::{changes, seen::Seen};

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
    /// The folders that the settings name.
    pub(super) folders: Vec<PathBuf>,
    /// None while no files are watched.
    watcher: Option<RecommendedWatcher>,
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
            folders: Vec::new(),
            watcher: None,
        })
    }

    /// Watches `file`, and `folders` with everything in them, in place of the files and folders
    /// that were watched before. A folder of the same name is watched anew: it may be another one
    /// by now.
    pub fn watch(&mut self, file: &Path, folders: Vec<PathBuf>) {
        self.folders = folders;
        if !self.is_watching {
            return;
        }
        let folders = &self.folders;
        let Some(mut watcher) = watcher(Arc::clone(&self.seen)) else { return };
        // Many programs change a file or a folder by putting a new one in its place. That is a
        // change in the folder around it.
        let around = folders.iter().map(PathBuf::as_path).chain([file]).map(parent);
        let mut around: Vec<_> = around.collect();
        around.sort_unstable();
        around.dedup();
        for folder in folders {
            changes::begin(folder);
            watch(&mut watcher, folder, RecursiveMode::Recursive);
        }
        for folder in around {
            watch(&mut watcher, folder, RecursiveMode::NonRecursive);
        }
        // The old watcher is dropped only now, so that no change is missed in between.
        self.watcher = Some(watcher);
    }

    /// Waits for a trigger.
    pub async fn next(&mut self) -> Trigger {
        let again = self.again.take();
        tokio::select! {
            _ = self.hangup.recv() => Trigger::Hangup,
            () = self.seen.settled(again) => Trigger::Change,
        }
    }

    /// The next trigger comes at `again`, if no other comes before.
    pub(super) fn again_at(&mut self, again: Instant) {
        self.again = Some(again);
    }

    /// What is seen of the watched files.
    #[cfg(test)]
    pub(super) fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen)
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn watch(watcher: &mut RecommendedWatcher, path: &Path, mode: RecursiveMode) {
    if let Err(error) = watcher.watch(path, mode) {
        let path = path.display();
        warn!(%error, "changes in {path} will not be seen: use SIGHUP to have it read again");
    }
}

fn watcher(seen: Arc<Seen>) -> Option<RecommendedWatcher> {
    match notify::recommended_watcher(move |event| seen.note(event)) {
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
