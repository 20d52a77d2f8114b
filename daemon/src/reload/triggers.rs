//! The triggers of a reload: SIGHUP, and changes of files.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
    time::{Instant, sleep, timeout_at},
};
use tracing::warn;

use super::changes;

/// An editor writes a file in several steps. The file is read when it has not changed for this
/// long.
const QUIET: Duration = Duration::from_millis(200);
/// A file that never stops changing is read after this time.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(3);

/// Says when to read the settings again.
#[derive(Debug)]
pub struct ReloadTriggers {
    hangup: Signal,
    changed: Arc<Notify>,
    is_watching: bool,
    /// The folders that the settings name.
    pub(super) folders: Vec<PathBuf>,
    /// None while no files are watched.
    watcher: Option<RecommendedWatcher>,
}

impl ReloadTriggers {
    /// Receives SIGHUP from now on. With `watch`, files can be watched too. Must be called within a
    /// runtime.
    pub fn listen(watch: bool) -> io::Result<Self> {
        let (changed, hangup) = (Arc::new(Notify::new()), signal(SignalKind::hangup())?);
        Ok(Self { hangup, changed, is_watching: watch, folders: Vec::new(), watcher: None })
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
        let Some(mut watcher) = watcher(Arc::clone(&self.changed)) else { return };
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

    /// Waits for a trigger; returns a word for it.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.hangup.recv() => "SIGHUP",
            () = settled(&self.changed) => "a change of files",
        }
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

fn watcher(changed: Arc<Notify>) -> Option<RecommendedWatcher> {
    let seen = move |event: notify::Result<notify::Event>| {
        // Reading a file is no change. An error may mean that a change was missed.
        if matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
            return;
        }
        match &event {
            Ok(event) if !event.paths.is_empty() => {
                event.paths.iter().for_each(|path| changes::count(path));
            }
            // The system has lost events, or the watcher has failed.
            Ok(_) | Err(_) => changes::count_everywhere(),
        }
        changed.notify_one();
    };
    match notify::recommended_watcher(seen) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            warn!(%error, "files cannot be watched: use SIGHUP to have settings read again");
            None
        }
    }
}

/// Waits for a change, and then until there are no more changes.
async fn settled(changed: &Notify) {
    changed.notified().await;
    let latest = Instant::now() + QUIET_WAIT_MAX;
    loop {
        let quiet = sleep(QUIET);
        tokio::select! {
            () = quiet => return,
            more = timeout_at(latest, changed.notified()) => if more.is_err() { return },
        }
    }
}
