//! Following a settings file through its changes.

use std::{fmt::Display, fs, path::PathBuf};

use tokio::sync::mpsc;
use tracing::{error, info};

use super::Reload;

/// A settings file.
#[derive(Debug)]
pub struct SettingsFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says that is in use.
    pub text: String,
}

/// Settings that come out of a file.
pub trait FromFile {
    /// The folders that they name and whose content they stand for: when something changes there,
    /// the settings are sent again, although the file says the same.
    fn folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// What is wrong with a file, as it was last logged.
type Problem = Option<String>;

/// Reads `file` again whenever `reload` says so, and sends what `parse` makes of it if that may be
/// something new. If it is wrong that is logged, and nothing is sent. Ends with the receiver.
///
/// `reload` has to watch already what the settings in use name.
pub async fn follow<T: FromFile, E: Display>(
    mut reload: Reload,
    mut file: SettingsFile,
    parse: impl Fn(&str) -> Result<T, E>,
    settings: mpsc::Sender<T>,
) {
    let mut problem = Problem::None;
    loop {
        let reason = tokio::select! {
            reason = reload.next() => reason,
            () = settings.closed() => return,
        };
        let path = file.path.display();
        let text = match fs::read_to_string(&file.path) {
            Ok(text) => text,
            Err(error) => {
                let what = format!("{path} cannot be read: {error}");
                report(&mut problem, what, reason);
                continue;
            }
        };
        let is_new = text != file.text;
        if !is_new {
            problem = None;
            if reason == "SIGHUP" {
                info!("{path} says what is in use");
            }
            if reload.folders.is_empty() {
                continue;
            }
        }
        match parse(&text) {
            Ok(new) => {
                if is_new {
                    info!("{path} is taken into use after {reason}");
                }
                problem = None;
                file.text = text;
                // Before anybody looks into the folders: what changes after that look is seen.
                reload.watch(&file.path, new.folders());
                if settings.send(new).await.is_err() {
                    return;
                }
            }
            Err(error) => report(&mut problem, format!("{path} is wrong:\n{error}"), reason),
        }
    }
}

/// Logs `what`, unless it has been said already and nobody asked.
fn report(problem: &mut Problem, what: String, reason: &str) {
    if reason == "SIGHUP" || problem.as_ref() != Some(&what) {
        error!("the settings stay as they are after {reason}: {what}");
    }
    *problem = Some(what);
}
