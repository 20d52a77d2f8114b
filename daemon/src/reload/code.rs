//! What behind links is code. Other files behind links are data: a function may write them, which
//! must not have the function loaded again. Only SIGHUP counts changes of data.

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
/// How the names of settings end. A linked file is code then, since programs read it when they
/// start. A folder of such files is data.
const SETTINGS_ENDINGS: [&str; 4] = ["json", "toml", "yaml", "yml"];
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
        !entry.file_type().is_dir() && (is_code_name(entry.path()) || is_executable())
    })
}

/// Whether the file that a link `name` leads to is code. `None` is a file that is not there.
pub(super) fn is_code_file(name: &Path, target: Option<(&Path, &Metadata)>) -> bool {
    match target {
        Some((path, metadata)) => {
            is_code_or_settings(name) || is_code_or_settings(path) || is_executable(metadata)
        }
        // A folder, or a program, may come.
        None => is_code_or_settings(name) || name.extension().is_none(),
    }
}

/// Whether changes of `entry` count: interpreters and tools do not write it.
pub(super) fn is_considered(entry: &DirEntry) -> bool {
    entry.depth() == 0 || LEFT_OUT.iter().all(|name| entry.file_name() != *name)
}

fn is_code_or_settings(name: &Path) -> bool {
    is_code_name(name) || has_ending(name, &SETTINGS_ENDINGS)
}

fn is_code_name(path: &Path) -> bool {
    has_ending(path, &ENDINGS) || is_numbered_library(path)
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known))
}

/// Whether `path` is a library with its version, such as `libx.so.1.2`. It need not be executable.
fn is_numbered_library(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit_once(".so.").is_some_and(|(_, version)| {
        version.starts_with(|first: char| first.is_ascii_digit())
            && version.chars().all(|part| part.is_ascii_digit() || part == '.')
    })
}

fn is_executable(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
}
