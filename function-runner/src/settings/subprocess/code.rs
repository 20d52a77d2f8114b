//! Finds the folder of the code and the program that runs it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{PATH, executable::Flaw};
use crate::settings::surroundings::Surroundings;

/// What is wrong with the files of a function, which the function may change itself, and the key
/// of the settings that leads to them.
#[derive(Debug)]
pub(super) struct CodeProblem {
    pub(super) key: &'static str,
    pub(super) what: String,
}

/// The folder of the code, as an absolute path.
pub(super) fn folder(code: &Path) -> Result<PathBuf, CodeProblem> {
    let problem = match code.canonicalize() {
        Ok(folder) if folder.is_dir() => return Ok(folder),
        Ok(_) => "is not a folder; name the one that the code is in".to_owned(),
        Err(error) => format!("cannot be opened: {error}; name the folder of the code"),
    };
    Err(CodeProblem { key: "code", what: format!("{} {problem}", code.display()) })
}

/// The interpreter that is `given` in the settings, as an absolute path, or the one called `name`
/// in the runner's PATH.
pub(super) fn interpreter(
    given: Option<PathBuf>,
    name: &str,
    around: &Surroundings<'_>,
) -> Result<PathBuf, CodeProblem> {
    if let Some(given) = given {
        if is_executable(&given) {
            let Some(flaw) = Flaw::of(&given, Path::new("/"), PATH).filter(Flaw::is_certain) else {
                return Ok(given);
            };
            let what = format!("{} {flaw}", given.display());
            return Err(CodeProblem { key: "interpreter", what });
        }
        let what = format!("{} is not an executable file", given.display());
        let what = format!("{what}; name one, or leave it out");
        return Err(CodeProblem { key: "interpreter", what });
    }
    let folders = around.path.unwrap_or(PATH);
    let found =
        folders.split(':').map(|folder| Path::new(folder).join(name)).find(|p| is_executable(p));
    found.ok_or_else(|| {
        let what = format!("there is no {name} in the folders {folders}");
        CodeProblem { key: "runtime", what: format!("{what}; install it, or set interpreter") }
    })
}

/// The `bootstrap` in the folder of the code.
pub(super) fn bootstrap(code: &Path, path: &str) -> Result<PathBuf, CodeProblem> {
    let bootstrap = code.join("bootstrap");
    let problem = if bootstrap.is_file() {
        match Flaw::of(&bootstrap, code, path).filter(Flaw::is_certain) {
            None => return Ok(bootstrap),
            Some(flaw) => flaw.to_string(),
        }
    } else {
        "is not there; the runtime \"custom\" starts this file".to_owned()
    };
    Err(CodeProblem { key: "code", what: format!("{} {problem}", bootstrap.display()) })
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
