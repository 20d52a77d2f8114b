//! What one or more functions need: the input of pip or npm, and for which interpreter.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use crate::up::interpreters::{Interpreter, Language};

/// A file that pip or npm reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) content: Vec<u8>,
}

/// Functions with the same need share a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    /// Decides the name of the folder: 16 letters and digits.
    pub(super) id: String,
    pub(super) interpreter: Arc<Interpreter>,
    pub(super) inputs: Vec<Input>,
    /// What is asked for, for people.
    pub(super) names: Vec<String>,
}

/// Changes when folders of before must not be used any more.
const FORMAT: &str = "1";
/// How much of the hash names a folder: enough for one machine, and short, because the folder
/// counts towards the environment of a function.
const ID_BYTES: usize = 8;
const NAMES_MAX: usize = 8;

impl Need {
    pub(super) fn new(
        interpreter: Arc<Interpreter>,
        inputs: Vec<Input>,
        names: Vec<String>,
    ) -> Self {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add(FORMAT.as_bytes());
        add(interpreter.language.to_string().as_bytes());
        add(&interpreter.release.to_le_bytes());
        add(interpreter.platform.as_bytes());
        for input in &inputs {
            add(input.name.as_bytes());
            add(&input.content);
        }
        let id = hash.finalize().iter().take(ID_BYTES).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Self { id, interpreter, inputs, names }
    }

    pub(super) fn language(&self) -> Language {
        self.interpreter.language
    }

    /// The folder that functions look into, of the one in the cache.
    pub(super) fn searched(&self, folder: &Path) -> PathBuf {
        match self.language() {
            Language::Python => folder.to_owned(),
            Language::Node => folder.join("node_modules"),
        }
    }

    /// `requests, numpy and 3 more`.
    pub(super) fn described(&self) -> String {
        let shown = self.names.len().min(NAMES_MAX);
        let names = self.names[..shown].join(", ");
        match self.names.len() - shown {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }
}
