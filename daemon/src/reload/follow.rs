//! Following a settings file through its changes.

use std::{fmt::Display, path::PathBuf};

use tokio::{sync::mpsc, time::Instant};
use tracing::{error, info};

use super::{ReloadTriggers, draft::Draft, secrets::SecretLines, triggers::Trigger};
use crate::settings::{InlineSecrets, read_settings_text};

/// A settings file.
#[derive(Debug)]
pub struct SettingsFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The content that is in use.
    pub text: String,
}

impl SettingsFile {
    fn is_as_read(&self) -> bool {
        read_settings_text(&self.path).is_ok_and(|text| text == self.text)
    }
}

/// Settings that are read from a file.
pub trait FromFile {
    /// The folders, and single files, that the settings name and whose content matters. When
    /// something changes there, the settings are sent again, although the file is the same.
    fn folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// These settings are sent after `trigger`.
    fn sent_after(&mut self, _trigger: Trigger) {}

    /// The secrets that stand in the file itself. A file with some that every user of the machine
    /// may read is warned of.
    fn inline_secrets(&self) -> InlineSecrets {
        InlineSecrets::default()
    }

    /// Whether the settings leave nothing to run. A file that is being saved looks like this.
    fn is_empty(&self) -> bool;
}

/// The error of a file that was logged last.
type Problem = Option<String>;

/// What a look at the file has found.
enum Found {
    /// A new text, the folders that its settings name, and the secrets in it.
    New(String, Vec<PathBuf>, InlineSecrets),
    Same,
    /// A change that may not be over. The next look is at this time.
    Unsettled(Instant),
    Unusable(String),
}

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
    let (mut problem, mut draft) = (Problem::None, Draft::default());
    let (in_use, mut lines) = (parse(&file.text), SecretLines::default());
    let mut inline_secrets = in_use.map(|it| it.inline_secrets()).unwrap_or_default();
    lines.write(&inline_secrets);
    // The file may have changed after it was read and before it was watched.
    if triggers.is_watching() && !file.is_as_read() {
        triggers.again_at(Instant::now());
    }
    loop {
        let trigger = tokio::select! {
            trigger = triggers.next() => trigger,
            () = settings.closed() => return,
        };
        let path = file.path.display();
        let mut is_new = false;
        match look(&file, &parse, trigger, &mut draft) {
            Found::New(text, folders, secrets) => {
                info!("{path} has changed, its new settings are used after {trigger}");
                problem = None;
                file.text = text;
                (triggers.folders, inline_secrets) = (folders, secrets);
                is_new = true;
            }
            Found::Same => {
                problem = None;
                if trigger == Trigger::Hangup {
                    info!("{path} has not changed");
                }
            }
            Found::Unsettled(again) => triggers.again_at(again),
            Found::Unusable(what) => report(&mut problem, what, trigger),
        }
        lines.write(&inline_secrets);
        triggers.watch_again(&file.path).await;
        // What is in the folders may have changed, also since the settings were read a moment ago
        // and until the folders were watched. Without folders nothing has.
        if !is_new && triggers.folders.is_empty() {
            continue;
        }
        match parse(&file.text) {
            Ok(mut current) => {
                current.sent_after(trigger);
                if settings.send(current).await.is_err() {
                    return;
                }
            }
            // Settings that were good may be bad by now, for example when a folder is gone.
            Err(error) if problem.is_none() => {
                report(&mut problem, format!("{path} has errors:\n{error}"), trigger);
            }
            Err(_) => {}
        }
    }
}

fn look<T: FromFile, E: Display>(
    file: &SettingsFile,
    parse: impl Fn(&str) -> Result<T, E>,
    trigger: Trigger,
    draft: &mut Draft,
) -> Found {
    let path = file.path.display();
    let text = match read_settings_text(&file.path) {
        Ok(text) => text,
        Err(error) => return Found::Unusable(format!("{path} cannot be read: {error}")),
    };
    if text == file.text {
        draft.forget();
        return Found::Same;
    }
    // At SIGHUP the file is complete: a person or a program says so.
    if trigger == Trigger::Change
        && let Some(again) = draft.complete_at(&text, Instant::now())
    {
        return Found::Unsettled(again);
    }
    let new = match parse(&text) {
        Ok(new) => new,
        Err(error) => return Found::Unusable(format!("{path} has errors:\n{error}")),
    };
    if trigger == Trigger::Change && new.is_empty() {
        let in_use = parse(&file.text);
        if in_use.is_ok_and(|in_use| !in_use.is_empty()) {
            return Found::Unusable(format!(
                "{path} names no function any more. If this is meant, send SIGHUP"
            ));
        }
    }
    Found::New(text, new.folders(), new.inline_secrets())
}

/// Logs `what`, unless it was logged last and the trigger is not SIGHUP.
fn report(problem: &mut Problem, what: String, trigger: Trigger) {
    if trigger == Trigger::Hangup || problem.as_ref() != Some(&what) {
        error!(
            "the settings stay as they are after {trigger}, and all earlier tokens and keys stay in \
             use: {what}"
        );
    }
    *problem = Some(what);
}

#[cfg(test)]
mod tests;
