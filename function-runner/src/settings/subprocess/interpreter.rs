//! Finds the interpreter of a function.
//!
//! An interpreter that by its name runs another language, or is too old, is refused. It is not
//! started to find that out: the function may be able to replace it, and nothing confines it here.
//! One with another name says so itself when an instance is started.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{PATH, code::CodeProblem, executable::Flaw};
use crate::settings::{language::Language, surroundings::Surroundings};

/// The interpreter that is `given` in the settings, as an absolute path, or the one with the usual
/// name in the runner's PATH.
pub(super) fn interpreter(
    given: Option<PathBuf>,
    language: Language,
    around: &Surroundings<'_>,
) -> Result<PathBuf, CodeProblem> {
    let (path, key, help) = match given {
        Some(given) => {
            usable(&given).map_err(|what| CodeProblem { key: "interpreter", what })?;
            (given, "interpreter", "name one, or leave it out")
        }
        None => {
            (in_path(usual_name(language), around)?, "runtime", "install it, or set interpreter")
        }
    };
    match misfit(language, &path) {
        None => Ok(path),
        Some(misfit) => Err(CodeProblem { key, what: format!("{misfit}; {help}") }),
    }
}

fn usual_name(language: Language) -> &'static str {
    match language {
        Language::Python3 => "python3",
        Language::Nodejs => "node",
        Language::Custom => "bootstrap",
    }
}

/// The error is why the file cannot be executed.
fn usable(given: &Path) -> Result<(), String> {
    if !given.exists() {
        return Err(format!("{} is not there; name one, or leave it out", given.display()));
    }
    if !is_executable(given) {
        let what = format!("{} is not an executable file", given.display());
        return Err(format!("{what}; name one, or leave it out"));
    }
    match Flaw::of(given, Path::new("/"), PATH).filter(Flaw::is_certain) {
        None => Ok(()),
        Some(flaw) => Err(format!("{} {flaw}", given.display())),
    }
}

fn in_path(name: &str, around: &Surroundings<'_>) -> Result<PathBuf, CodeProblem> {
    let folders = around.path.unwrap_or(PATH);
    let found =
        folders.split(':').map(|folder| Path::new(folder).join(name)).find(|p| is_executable(p));
    found.ok_or_else(|| {
        let what = format!("there is no {name} in the folders {folders}");
        CodeProblem { key: "runtime", what: format!("{what}; install it, or set interpreter") }
    })
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// What the interpreter is, if its name says that it cannot run `language`. The name is that of the
/// file behind all symbolic links, such as `python3.11` behind `python`.
pub(crate) fn misfit(language: Language, interpreter: &Path) -> Option<String> {
    let file = interpreter.canonicalize().ok()?;
    let name = file.file_name()?.to_str()?;
    let digits = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let (word, version) = name.split_at(digits);
    let of_python = ["python", "pypy"].contains(&word);
    let of_node = ["node", "nodejs"].contains(&word);
    let of_others = ["deno", "bun", "ruby", "php", "perl", "java"].contains(&word);
    let (fits, needed) = match language {
        Language::Python3 => (of_python && is_from(version, (3, 6)), "Python 3.6 or newer"),
        Language::Nodejs => (of_node && is_from(version, (10, 0)), "Node 10 or newer"),
        Language::Custom => return None,
    };
    let is_known = of_python || of_node || of_others;
    (is_known && !fits).then(|| {
        let runtime = language.word();
        format!(
            "{} is {name}, and functions with runtime {runtime:?} need {needed}",
            interpreter.display()
        )
    })
}

/// Whether `version`, such as `3.11` or `3.7m`, is `least` or newer, as far as it is told.
fn is_from(version: &str, least: (u32, u32)) -> bool {
    let mut parts = version.split('.').map(|part| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..digits].parse::<u32>().ok()
    });
    match (parts.next().flatten(), parts.next().flatten()) {
        (None, _) => true,
        (Some(major), None) => major >= least.0,
        (Some(major), Some(minor)) => (major, minor) >= least,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{Language, misfit};

    #[test]
    fn names_of_other_languages_and_old_versions_do_not_fit() {
        let folder = tempfile::tempdir().unwrap();
        let check = |language, name: &str, fits: bool| {
            let (file, link) = (folder.path().join(name), folder.path().join("link"));
            fs::write(&file, "").unwrap();
            symlink(&file, &link).unwrap();
            let found = misfit(language, &link);
            assert_eq!(found.is_none(), fits, "{name}: {found:?}");
            fs::remove_file(&link).unwrap();
        };
        for name in ["python", "python3", "python3.6", "python3.7m", "python3.14", "pypy3.10"] {
            check(Language::Python3, name, true);
            check(Language::Nodejs, name, false);
            check(Language::Custom, name, true);
        }
        for name in ["node", "nodejs", "node10", "node22", "node-v22"] {
            check(Language::Nodejs, name, true);
        }
        for name in ["node", "node22", "python2", "python2.7", "python3.5m", "pypy2", "ruby3.1"] {
            check(Language::Python3, name, false);
        }
        for name in ["node8", "deno", "bun"] {
            check(Language::Nodejs, name, false);
        }
        // What they run is not known.
        for name in ["run", "my-python2", "python-wrapper", "asdf"] {
            check(Language::Python3, name, true);
            check(Language::Nodejs, name, true);
        }
    }
}
