//! The files of a folder of code.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::files::read_bytes;

/// How deep files are looked for.
const DEPTH_MAX: usize = 6;
/// How many files and folders are looked at.
const ENTRIES_MAX: usize = 5_000;
/// How much of a file is read, in bytes.
const FILE_BYTES_MAX: u64 = 512 * 1024;

/// Folders of libraries, which are no code of the author's. The last ones are those of the cloud,
/// whose examples have buckets of others.
const LIBRARIES: [&str; 9] = [
    "node_modules",
    "site-packages",
    "venv",
    "vendor",
    "__pycache__",
    "layer",
    "qcloud_cos",
    "qcloud_cos_v5",
    "tencentcloud",
];

/// The files below `code` with one of these endings, the nearest first. Not those of libraries.
pub(crate) fn files_of(code: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut entries = 0;
    look(code, 0, &mut entries, &mut |path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        if ending.is_some_and(|ending| endings.contains(&ending)) {
            files.push(path);
        }
    });
    // Those of the author are further up than what was put beside them.
    files.sort_by_cached_key(|path| (path.components().count(), path.clone()));
    files
}

fn look(folder: &Path, depth: usize, entries: &mut usize, take: &mut dyn FnMut(PathBuf)) {
    let Ok(listing) = fs::read_dir(folder) else { return };
    let mut folders = Vec::new();
    for entry in listing.flatten() {
        *entries += 1;
        if *entries > ENTRIES_MAX {
            return;
        }
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() {
            if !name.starts_with('.') && !LIBRARIES.contains(&&*name) {
                folders.push(entry.path());
            }
        } else {
            take(entry.path());
        }
    }
    folders.sort();
    if depth < DEPTH_MAX {
        for inner in folders {
            look(&inner, depth + 1, entries, take);
        }
    }
}

/// The beginning of a file, with a mark in place of what is no text. None if it cannot be read.
pub(crate) fn read(path: &Path) -> Option<String> {
    let bytes = read_bytes(path, FILE_BYTES_MAX).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
