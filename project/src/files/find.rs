//! Finds the files below a folder that describe a project.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// How deep below the folder they are looked for.
const DEPTH_MAX: usize = 6;
/// How many files and folders are looked at.
const ENTRIES_MAX: usize = 20_000;
/// How many files may describe one project.
const FILES_MAX: usize = 100;

/// Folders of libraries, which may have projects of their own.
const LIBRARIES: [&str; 5] =
    ["node_modules", "bower_components", "site-packages", "venv", "vendor"];

/// What the text of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// `serverless.yml`
    Serverless,
    /// `template.yaml` of SAM
    Template,
}

/// The files that describe a project, relative to its folder.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<(PathBuf, Form)>,
    /// Whether there was more than is looked at.
    pub(crate) is_cut: bool,
}

/// Looks through `folder` and the folders below, but not through hidden ones and those of
/// libraries. The error is that of the folder itself.
pub(crate) fn find(folder: &Path) -> std::io::Result<Found> {
    fs::read_dir(folder)?;
    let mut found = Found::default();
    let mut entries = 0;
    look(folder, Path::new(""), 0, &mut entries, &mut found);
    found.files.sort();
    Ok(found)
}

fn look(root: &Path, below: &Path, depth: usize, entries: &mut usize, found: &mut Found) {
    // A folder that nobody may read has nothing for us.
    let Ok(listing) = fs::read_dir(root.join(below)) else { return };
    let mut folders = Vec::new();
    for entry in listing.flatten() {
        *entries += 1;
        if *entries > ENTRIES_MAX || found.files.len() > FILES_MAX {
            found.files.truncate(FILES_MAX);
            found.is_cut = true;
            return;
        }
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder {
            folders.extend(is_looked_through(name).then(|| below.join(name)));
        } else if let Some(form) = form(name) {
            found.files.push((below.join(name), form));
        }
    }
    if depth == DEPTH_MAX {
        return;
    }
    folders.sort();
    for folder in folders {
        look(root, &folder, depth + 1, entries, found);
    }
}

fn is_looked_through(name: &str) -> bool {
    !name.starts_with('.') && !name.starts_with("__") && !LIBRARIES.contains(&name)
}

fn form(name: &str) -> Option<Form> {
    match name {
        "serverless.yml" | "serverless.yaml" => Some(Form::Serverless),
        "template.yml" | "template.yaml" => Some(Form::Template),
        _ => None,
    }
}
