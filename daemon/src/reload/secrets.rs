//! What the log says of secrets when settings are read: which of them every user of the machine may
//! read, and which files with secrets are new.

use std::path::{Path, PathBuf};

use tracing::{info, warn};

use crate::{
    secret_files,
    settings::{Exposed, InlineSecrets},
};

/// Writes the lines about the secrets of one settings file.
#[derive(Debug, Default)]
pub(super) struct SecretLines {
    /// What was said last.
    exposed: Option<Exposed>,
}

impl SecretLines {
    /// `secrets` are those in the file that is in use now.
    pub(super) fn write(&mut self, secrets: &InlineSecrets) {
        let exposed = secrets.exposed();
        if let Some(Exposed { file, mode, keys, right }) = &exposed
            && exposed != self.exposed
        {
            let file = file.display();
            warn!(
                settings.file = %file,
                settings.keys = keys,
                "{file} has the permissions {mode:03o}, so that every user of this machine can read \
                 the secrets at {keys}; {right}"
            );
        }
        self.exposed = exposed;
        let new = secret_files::new_since_last_asked();
        if !new.is_empty() {
            let files = new.iter().map(PathBuf::as_path).map(Path::display);
            let files = files.map(|file| file.to_string()).collect::<Vec<_>>().join(", ");
            info!(
                secret.files = files,
                "settings name other files with secrets, which no function that starts from now on \
                 can read: {files}"
            );
        }
    }
}
