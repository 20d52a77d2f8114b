//! What behind links is code. Other files behind links are data: a function may write them, which
//! must not have the function loaded again.

use std::{fs::Metadata, os::unix::fs::PermissionsExt, path::Path};

use walkdir::{DirEntry, WalkDir};

use super::changes::LEFT_OUT;

/// Folders that interpreters load code from, even if they are empty now.
const FOLDERS: [&str; 3] = ["vendor", "layer", "node_modules"];
/// How the names of files end that interpreters load.
const ENDINGS: [&str; 22] = [
    "bash", "cjs", "class", "cts", "jar", "js", "jsx", "lua", "mjs", "mts", "node", "php", "pl",
    "pm", "py", "pyc", "rb", "sh", "so", "ts", "tsx", "wasm",
];
/// How many files of a folder are looked at for one that is code.
const SEARCHED_MAX: usize = 10_000;

/// Whether the folder that a link `name` leads to has code in it.
pub(super) fn is_code_folder(name: &Path, folder: &Path) -> bool {
    if FOLDERS.iter().any(|folder| name.ends_with(folder)) {
        return true;
    }
    let entries = WalkDir::new(folder).into_iter().filter_entry(is_considered);
    entries.take(SEARCHED_MAX).flatten().any(|entry| {
        let is_executable = || entry.metadata().is_ok_and(|metadata| is_executable(&metadata));
        !entry.file_type().is_dir() && (has_ending(entry.path()) || is_executable())
    })
}

/// Whether the file that a link `name` leads to is code. `None` is a file that is not there.
pub(super) fn is_code_file(name: &Path, target: Option<(&Path, &Metadata)>) -> bool {
    match target {
        Some((path, metadata)) => has_ending(name) || has_ending(path) || is_executable(metadata),
        // A folder, or a program, may come.
        None => has_ending(name) || name.extension().is_none(),
    }
}

/// Whether changes of `entry` count: interpreters and tools do not write it.
pub(super) fn is_considered(entry: &DirEntry) -> bool {
    entry.depth() == 0 || LEFT_OUT.iter().all(|name| entry.file_name() != *name)
}

fn has_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

fn is_executable(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
}
