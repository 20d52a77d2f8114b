//! `functions.<name>.runtime`, and what else depends on it.

use std::path::{Path, PathBuf};

use daemon::settings::{Section, text};

use super::{
    rust::RustSettings,
    subprocess::{HANDLER_DEFAULT, SubprocessKeys, SubprocessSettings},
    surroundings::Surroundings,
};

/// What runs the code of a function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RuntimeSettings {
    Rust(Box<RustSettings>),
    Subprocess(Box<SubprocessSettings>),
}

impl RuntimeSettings {
    /// All files with secrets that the document names.
    pub(super) fn note_secret_files(&mut self, secret_files: &[PathBuf]) {
        match self {
            Self::Rust(_) => {}
            Self::Subprocess(subprocess) => subprocess.secret_files = secret_files.to_vec(),
        }
    }

    /// Takes all keys that depend on the runtime, which is not known.
    pub(super) fn skip(section: &mut Section, around: &Surroundings<'_>) {
        section.read_derived("handler", &text(), HANDLER_DEFAULT);
        SubprocessKeys::read(section, None, around);
    }

    /// The word for it in the settings.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Rust(_) => "rust",
            Self::Subprocess(subprocess) => subprocess.language.word(),
        }
    }

    /// The handler, as the settings name it.
    pub(crate) fn handler(&self) -> &str {
        match self {
            Self::Rust(rust) => &rust.handler,
            Self::Subprocess(subprocess) => &subprocess.handler,
        }
    }

    /// The folder of the code, as the settings name it.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Rust(_) => None,
            Self::Subprocess(subprocess) => Some(&subprocess.folder),
        }
    }
}
