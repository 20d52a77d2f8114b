//! Where settings come from, for problems that are found after the settings were read.

use std::{collections::BTreeMap, path::PathBuf};

use super::Problem;

/// Where each key of a document is set: in its file, or by a variable that overrides the file.
#[derive(Debug, Clone)]
pub struct Origins {
    file: PathBuf,
    /// The variable of each key that a variable sets.
    variables: BTreeMap<String, String>,
}

impl Origins {
    pub(super) fn new(file: PathBuf, variables: BTreeMap<String, String>) -> Self {
        Self { file, variables }
    }

    /// A problem with the value at `key`, such as `functions.echo.environment.url`. `what` says
    /// what is wrong, and what would be right.
    pub fn problem(&self, key: &str, what: impl Into<String>) -> Problem {
        Problem { place: self.place(key), what: what.into() }
    }

    /// Where the value at `key` is set: the variable, or the file and the key.
    pub fn place(&self, key: &str) -> String {
        match self.variables.get(key) {
            Some(variable) => variable.clone(),
            None => format!("{}: {key}", self.file.display()),
        }
    }
}
