//! The libraries that functions import.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use project::{Note, Project};

use super::interpreters::Interpreters;

/// The folder of libraries of each function that has one.
#[derive(Debug, Default)]
pub(super) struct Libraries {
    pub(super) of: BTreeMap<String, PathBuf>,
    pub(super) notes: Vec<Note>,
}

#[expect(clippy::unused_async, reason = "runs pip and npm")]
pub(super) async fn install(
    _project: &Project,
    _interpreters: &Interpreters,
    _cache: &Path,
    _progress: &(dyn Fn(&str) + Sync),
) -> Libraries {
    Libraries::default()
}

#[expect(clippy::unused_async, reason = "asks interpreters what they have")]
pub(super) async fn missing(
    _project: &Project,
    _interpreters: &Interpreters,
    _cache: &Path,
) -> Libraries {
    Libraries::default()
}
