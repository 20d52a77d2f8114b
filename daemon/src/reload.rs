//! Settings that are read again while the process runs: at SIGHUP, and when the file has changed,
//! or what is in the folders that it names.
//!
//! What new settings mean is for the service; those that are wrong it never sees.

mod changes;
mod follow;

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

pub use self::{
    changes::changes_in,
    follow::{FromFile, SettingsFile, follow},
};

/// An editor writes a file in several steps; it is read when none has come for so long.
const QUIET: Duration = Duration::from_millis(200);
/// Something that never stops changing is read all the same.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(3);

/// Says when to read the settings again.
#[derive(Debug)]
pub struct Reload {
    hangup: Signal,
    changed: Arc<Notify>,
    is_watching: bool,
    /// What the settings name.
    folders: Vec<PathBuf>,
    /// None where files are not watched.
    watcher: Option<RecommendedWatcher>,
}

impl Reload {
    /// Takes SIGHUP over, and with `watch` is ready to watch. Must be called within a runtime.
    pub fn listen(watch: bool) -> io::Result<Self> {
        let (changed, hangup) = (Arc::new(Notify::new()), signal(SignalKind::hangup())?);
        Ok(Self { hangup, changed, is_watching: watch, folders: Vec::new(), watcher: None })
    }

    /// Watches `file`, and `folders` with all that is in them, in place of what was watched
    /// before. Folders that have the same names as before may be others by now.
    pub fn watch(&mut self, file: &Path, folders: Vec<PathBuf>) {
        self.folders = folders;
        if !self.is_watching {
            return;
        }
        let folders = &self.folders;
        let Some(mut watcher) = watcher(Arc::clone(&self.changed)) else { return };
        // Whoever changes a file or a folder may put another in its place: that happens in the
        // folder around it.
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
        // Only now is the old one dropped: nothing goes unseen in between.
        self.watcher = Some(watcher);
    }

    /// Waits until there is a reason; a word for it.
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
        // Reading is no change. An error may stand for one that was missed.
        if matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
            return;
        }
        event.iter().flat_map(|event| &event.paths).for_each(|path| changes::count(path));
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

/// Waits for a change, and then until there is none any more.
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
