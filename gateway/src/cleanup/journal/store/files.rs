//! The names of the journal's files, and their folder.

use std::{
    fs::{self, DirBuilder, create_dir_all},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::cleanup::journal::error::JournalOpenError;

/// The files of a journal in one folder.
#[derive(Debug)]
pub(in crate::cleanup::journal) struct Files {
    /// The debts, as of the last time that the log was copied into it.
    pub(in crate::cleanup::journal) main: PathBuf,
    /// `SQLite`'s log of what is not in the main file yet.
    pub(in crate::cleanup::journal) log: PathBuf,
    pub(in crate::cleanup::journal) marker: PathBuf,
}

impl Files {
    pub(in crate::cleanup::journal) fn within(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        Self {
            main: file("cleanups.sqlite"),
            log: file("cleanups.sqlite-wal"),
            marker: file("cleanups.marker"),
        }
    }

    pub(super) fn all(&self) -> [&Path; 3] {
        [&self.main, &self.log, &self.marker]
    }

    /// Whether the main file is missing or empty. `SQLite` would delete its log then.
    pub(super) fn has_no_main(&self) -> bool {
        length(&self.main) == 0
    }

    pub(super) fn has_log(&self) -> bool {
        length(&self.log) > 0
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

pub(in crate::cleanup::journal) fn make_folder(dir: &Path) -> Result<(), JournalOpenError> {
    let failed = |error| JournalOpenError::Folder(dir.to_owned(), error);
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        create_dir_all(parent).map_err(failed)?;
    }
    // The file holds connection ids. Whoever knows one and reaches the internal listener can push.
    DirBuilder::new().mode(0o700).create(dir).map_err(failed)
}
