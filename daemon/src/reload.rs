//! Settings that are read again while the process runs: at SIGHUP, and when the file has changed.
//!
//! What new settings mean is for the service; one that are wrong it never sees.

use std::{
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, mpsc},
    time::{Instant, sleep, timeout_at},
};
use tracing::{error, info, warn};

/// An editor writes a file in several steps; it is read when none has come for so long.
const QUIET: Duration = Duration::from_millis(200);
/// Something that never stops changing is read all the same.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(3);

/// Says when to read the settings again.
#[derive(Debug)]
pub struct Reload {
    hangup: Signal,
    changed: Arc<Notify>,
    /// None where files are not watched.
    watcher: Option<RecommendedWatcher>,
}

/// A settings file.
#[derive(Debug)]
pub struct SettingsFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it said when it was last read.
    pub text: String,
}

impl Reload {
    /// Takes SIGHUP over, and with `watch` is ready to watch. Must be called within a runtime.
    pub fn listen(watch: bool) -> io::Result<Self> {
        let changed = Arc::new(Notify::new());
        let watcher = if watch { watcher(Arc::clone(&changed)) } else { None };
        Ok(Self { hangup: signal(SignalKind::hangup())?, changed, watcher })
    }

    /// Watches the folder that `file` is in: whoever changes a file may put another in its place.
    pub fn watch_file(&mut self, file: &Path) {
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        self.watch(folder, RecursiveMode::NonRecursive);
    }

    fn watch(&mut self, path: &Path, mode: RecursiveMode) {
        let Some(watcher) = &mut self.watcher else { return };
        if let Err(error) = watcher.watch(path, mode) {
            let path = path.display();
            warn!(%error, "changes in {path} will not be seen: use SIGHUP to have it read again");
        }
    }

    /// Waits until there is a reason; a word for it.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.hangup.recv() => "SIGHUP",
            () = settled(&self.changed) => "a change of files",
        }
    }
}

fn watcher(changed: Arc<Notify>) -> Option<RecommendedWatcher> {
    let seen = move |event: notify::Result<notify::Event>| {
        // Reading is no change. An error may stand for one that was missed.
        if !matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
            changed.notify_one();
        }
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

/// Reads `file` again whenever `reload` says so, and sends what `parse` makes of it if it says
/// something new. If it is wrong that is logged, and nothing is sent. Ends with the receiver.
pub async fn follow<T, E: Display>(
    mut reload: Reload,
    mut file: SettingsFile,
    parse: impl Fn(&str) -> Result<T, E>,
    settings: mpsc::Sender<T>,
) {
    loop {
        let reason = tokio::select! {
            reason = reload.next() => reason,
            () = settings.closed() => return,
        };
        let path = file.path.display();
        let text = match fs::read_to_string(&file.path) {
            Ok(text) => text,
            Err(error) => {
                error!(%error, "{path} cannot be read after {reason}: the settings stay as they are");
                continue;
            }
        };
        if text == file.text {
            if reason == "SIGHUP" {
                info!("{path} is unchanged");
            }
            continue;
        }
        match parse(&text) {
            Ok(new) => {
                info!("{path} is taken into use after {reason}");
                if settings.send(new).await.is_err() {
                    return;
                }
            }
            Err(error) => error!("{path} is wrong, the settings stay as they are:\n{error}"),
        }
        file.text = text;
    }
}
