//! The settings of functions that run as child processes: what is run, and whether it is there.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use daemon::settings::{Kind, Section, flag, path, text};
use functions::Environment;

use nix::unistd::{Uid, User as Account};

use super::surroundings::Surroundings;
use crate::runtime::subprocess::{
    Language,
    confinement::User,
    program::{PATH, Program},
};

/// Takes `code`, `handler` and `interpreter`. `None` when something is wrong, which is noted.
pub(super) fn read(
    section: &mut Section,
    language: Language,
    environment: Option<Environment>,
    around: &Surroundings<'_>,
) -> Option<Program> {
    let named = section.require("code", &path(around.folder));
    let code = named.as_ref().and_then(|named| folder(section, named));
    let handler = match language {
        Language::Python3 | Language::Nodejs => section.require("handler", &dotted()),
        Language::Custom => {
            Some(section.read("handler", &text()).unwrap_or_else(|| "bootstrap".to_owned()))
        }
    };
    let executable = match language {
        Language::Python3 => interpreter(section, "python3", around),
        Language::Nodejs => interpreter(section, "node", around),
        Language::Custom => bootstrap(section, code.as_deref()?),
    };
    let user = section.read("user", &text()).and_then(|name| user(section, &name));
    let private_tmp = section.read("private_tmp", &flag()).unwrap_or(true);
    let (folder, code, handler) = (named?, code?, handler?);
    match language {
        Language::Python3 => find_source(section, &code, &handler, &[".py", "/__init__.py"])?,
        Language::Nodejs => find_source(section, &code, &handler, &[".js", ".mjs", ".cjs"])?,
        Language::Custom => {}
    }
    let (executable, environment) = (executable?, environment?);
    let cloud = around.cloud.clone();
    Some(Program {
        language,
        executable,
        folder,
        code,
        handler,
        environment,
        user,
        private_tmp,
        cloud,
    })
}

/// The account `name`, which only a privileged runner can give to a function.
fn user(section: &Section, name: &str) -> Option<User> {
    if !Uid::effective().is_root() {
        section.problem("user", "takes a runner that is root; leave it out, or start it as root");
        return None;
    }
    let Ok(Some(account)) = Account::from_name(name) else {
        section.problem("user", format!("there is no user {name:?} on this machine; name one"));
        return None;
    };
    Some(User { id: account.uid, group: account.gid })
}

/// The folder of the code, as an absolute path.
fn folder(section: &Section, code: &Path) -> Option<PathBuf> {
    let problem = match code.canonicalize() {
        Ok(folder) if folder.is_dir() => return Some(folder),
        Ok(_) => "is not a folder; name the one that the code is in".to_owned(),
        Err(error) => format!("cannot be opened: {error}; name the folder of the code"),
    };
    section.problem("code", format!("{} {problem}", code.display()));
    None
}

fn dotted() -> Kind<String> {
    Kind::new("<file>.<function>, such as \"index.main_handler\"", |value| {
        let handler = value.as_str()?;
        let (file, function) = handler.rsplit_once('.')?;
        let is_sound = !file.is_empty() && !function.is_empty() && !file.starts_with(['/', '.']);
        is_sound.then(|| handler.to_owned())
    })
}

/// Looks for the file of the handler, which some write with dots between folders.
fn find_source(section: &Section, code: &Path, handler: &str, endings: &[&str]) -> Option<()> {
    let (file, _) = handler.rsplit_once('.')?;
    let names = [file.to_owned(), file.replace('.', "/")];
    let is_there =
        |ending: &&str| names.iter().any(|name| code.join(format!("{name}{ending}")).is_file());
    if endings.iter().any(is_there) {
        return Some(());
    }
    let wanted = code.join(format!("{file}{}", endings[0]));
    let what = format!("{} is not there; name a file in the folder of the code", wanted.display());
    section.problem("handler", what);
    None
}

/// The `interpreter` of the settings, or the one called `name` in the runner's own PATH.
fn interpreter(section: &mut Section, name: &str, around: &Surroundings<'_>) -> Option<PathBuf> {
    if let Some(given) = section.read("interpreter", &path(around.folder)) {
        // Not resolved: an interpreter knows by its name where its packages are.
        let given = std::path::absolute(&given).unwrap_or(given);
        if is_executable(&given) {
            return Some(given);
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

fn bootstrap(section: &Section, code: &Path) -> Option<PathBuf> {
    let bootstrap = code.join("bootstrap");
    if is_executable(&bootstrap) {
        return Some(bootstrap);
    }
    let problem = if bootstrap.is_file() {
        "is not executable; run chmod +x on it"
    } else {
        "is not there; the runtime \"custom\" starts this file"
    };
    section.problem("code", format!("{} {problem}", bootstrap.display()));
    None
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
