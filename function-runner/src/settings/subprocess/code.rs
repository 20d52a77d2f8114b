//! Finds the folder of the code and the program that runs it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use daemon::settings::Section;

use super::{PATH, executable::Flaw};
use crate::settings::surroundings::Surroundings;

/// The folder of the code, as an absolute path.
pub(super) fn folder(section: &Section, code: &Path) -> Option<PathBuf> {
    let problem = match code.canonicalize() {
        Ok(folder) if folder.is_dir() => return Some(folder),
        Ok(_) => "is not a folder; name the one that the code is in".to_owned(),
        Err(error) => format!("cannot be opened: {error}; name the folder of the code"),
    };
    section.problem("code", format!("{} {problem}", code.display()));
    None
}

/// The interpreter that is `given` in the settings, or the one called `name` in the runner's PATH.
pub(super) fn interpreter(
    section: &Section,
    given: Option<PathBuf>,
    name: &str,
    around: &Surroundings<'_>,
) -> Option<PathBuf> {
    if let Some(given) = given {
        // Symbolic links stay: an interpreter finds its packages by the path that it is called by.
        let given = std::path::absolute(&given).unwrap_or(given);
        if is_executable(&given) {
            let Some(flaw) = Flaw::of(&given, Path::new("/"), PATH).filter(Flaw::is_certain) else {
                return Some(given);
            };
            section.problem("interpreter", format!("{} {flaw}", given.display()));
            return None;
        }
        let what = format!("{} is not an executable file", given.display());
        section.problem("interpreter", format!("{what}; name one, or leave it out"));
        return None;
    }
    let folders = around.path.unwrap_or(PATH);
    let found =
        folders.split(':').map(|folder| Path::new(folder).join(name)).find(|p| is_executable(p));
    if found.is_none() {
        let what = format!("there is no {name} in the folders {folders}");
        section.problem("runtime", format!("{what}; install it, or set interpreter"));
    }
    found
}

/// The `bootstrap` in the folder of the code.
pub(super) fn bootstrap(section: &Section, code: &Path, path: &str) -> Option<PathBuf> {
    let bootstrap = code.join("bootstrap");
    let problem = if bootstrap.is_file() {
        match Flaw::of(&bootstrap, code, path).filter(Flaw::is_certain) {
            None => return Some(bootstrap),
            Some(flaw) => flaw.to_string(),
        }
    } else {
        "is not there; the runtime \"custom\" starts this file".to_owned()
    };
    section.problem("code", format!("{} {problem}", bootstrap.display()));
    None
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
