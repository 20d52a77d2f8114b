//! Finds the folder of the code, and the program of a custom runtime in it.

use std::path::{Path, PathBuf};

use super::executable::Flaw;

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
