//! Following a settings file through its changes.

use std::{fmt::Display, fs, path::PathBuf};

use tokio::sync::mpsc;
use tracing::{error, info};

use super::ReloadTriggers;

/// A settings file.
#[derive(Debug)]
pub struct SettingsFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The content that is in use.
    pub text: String,
}

/// Settings that are read from a file.
pub trait FromFile {
    /// The folders that the settings name and whose content matters. When something changes there,
    /// the settings are sent again, although the file is the same.
    fn folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// The error of a file that was logged last.
type Problem = Option<String>;

/// Reads `file` again at each trigger, and sends the settings that `parse` makes of it if they may
/// be new. Errors are logged, and the settings stay as they are. Ends when the receiver is dropped.
///
/// `triggers` must already watch the folders of the settings in use.
pub async fn follow<T: FromFile, E: Display>(
    mut triggers: ReloadTriggers,
    mut file: SettingsFile,
    parse: impl Fn(&str) -> Result<T, E>,
    settings: mpsc::Sender<T>,
) {
    let mut problem = Problem::None;
    loop {
        let reason = tokio::select! {
            reason = triggers.next() => reason,
            () = settings.closed() => return,
        };
        let path = file.path.display();
        let text = match fs::read_to_string(&file.path) {
            Ok(text) => text,
            Err(error) => {
                let what = format!("{path} cannot be read: {error}");
                report(&mut problem, what, reason);
                if !send_current(&triggers, &file, &parse, &settings).await {
                    return;
                }
                continue;
            }
        };
        let is_new = text != file.text;
        if !is_new {
            problem = None;
            if reason == "SIGHUP" {
                info!("{path} has not changed");
            }
            if triggers.folders.is_empty() {
                continue;
            }
        }
        match parse(&text) {
            Ok(new) => {
                if is_new {
                    info!("{path} has changed, its new settings are used after {reason}");
                }
                problem = None;
                file.text = text;
                // Watch before the service looks into the folders, so that a later change is seen.
                triggers.watch(&file.path, new.folders());
                if settings.send(new).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                report(&mut problem, format!("{path} has errors:\n{error}"), reason);
                if !send_current(&triggers, &file, &parse, &settings).await {
                    return;
                }
            }
        }
    }
}

/// Sends the settings in use once more, if they name folders: the file cannot be used, but what is in
/// the folders may have changed. Returns false when the receiver has been dropped.
async fn send_current<T: FromFile, E: Display>(
    triggers: &ReloadTriggers,
    file: &SettingsFile,
    parse: impl Fn(&str) -> Result<T, E>,
    settings: &mpsc::Sender<T>,
) -> bool {
    if triggers.folders.is_empty() {
        return true;
    }
    // Settings that were good may be bad by now, for example when a folder is gone.
    match parse(&file.text) {
        Ok(current) => settings.send(current).await.is_ok(),
        Err(_) => true,
    }
}

/// Logs `what`, unless it was logged last and the trigger is not SIGHUP.
fn report(problem: &mut Problem, what: String, reason: &str) {
    if reason == "SIGHUP" || problem.as_ref() != Some(&what) {
        error!("the settings stay as they are after {reason}: {what}");
    }
    *problem = Some(what);
}
