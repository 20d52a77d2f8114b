//! Reads projects of each shape, and projects with faults.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod checksums;
mod fuzz;
mod listing;
mod model;
mod settings;
mod shapes;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use project::Reading;
use tempfile::TempDir;

/// The folder of a sample project.
fn sample(shape: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects").join(shape)
}

/// A project of the files in `files`.
fn written(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn read(folder: &Path) -> Reading {
    project::read(folder, &BTreeMap::new())
}

/// The notes, each with its severity.
fn notes(reading: &Reading) -> Vec<String> {
    reading.notes.iter().map(|note| format!("{} {note}", note.severity)).collect()
}

/// The files have exactly one note that has `expected` in it.
fn has_note(reading: &Reading, expected: &str) {
    let notes = notes(reading);
    let found = notes.iter().filter(|note| note.contains(expected)).count();
    assert_eq!(found, 1, "{expected:?} in {notes:#?}");
}
