//! The settings files of Longhold for a project, as text.

use std::{collections::BTreeMap, path::PathBuf};

use crate::model::Project;

/// The text of each settings file. Comments say where each value comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsTexts {
    /// `gateway.toml`
    pub gateway: String,
    /// `functions.toml`. It has the environments of the functions, so it may have secrets.
    pub functions: String,
    /// `cos.toml`, if the project uses the object store.
    pub cos: Option<String>,
}

/// Where the settings of a project are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The folder for the journal, the object store and the tokens. Written as it is given: paths of
    /// data start at the working folder, so it should be absolute, or meant so.
    pub data: PathBuf,
    /// For each function that has one, a folder of libraries: for `PYTHONPATH` or `NODE_PATH`.
    pub libraries: BTreeMap<String, PathBuf>,
    /// The folder of `sl_handler.js`, for functions with an entry.
    pub shim: Option<PathBuf>,
    /// The folder of the settings files. Paths below it are written relative to it, and all others
    /// absolute.
    pub base: PathBuf,
}

impl Project {
    /// The settings that run the project.
    pub fn settings(&self, _surroundings: &Surroundings) -> SettingsTexts {
        SettingsTexts::default()
    }
}
