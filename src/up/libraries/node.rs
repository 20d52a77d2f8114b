//! Libraries of functions in Node.

mod code;
mod image;
mod imports;
mod package;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use project::{Note, Project, Severity};

use self::code::Code;
use super::{
    Needs,
    install::{NoTool, quoted},
    need::Need,
};
use crate::up::interpreters::{Interpreters, Language};

pub(super) const VARIABLES: [(&str, &str); 5] = [
    ("npm_config_audit", "false"),
    ("npm_config_fund", "false"),
    ("npm_config_update_notifier", "false"),
    ("npm_config_global", "false"),
    ("npm_config_progress", "false"),
];

/// npm, which installs into the folder that it is run in. The one beside the interpreter, or else
/// that of PATH with the Node of PATH: a newer npm does not run on an old Node.
pub(super) fn command(
    need: &Need,
    variables: &BTreeMap<String, String>,
) -> Result<Command, NoTool> {
    let path = variables.get("PATH").map_or("/usr/local/bin:/usr/bin:/bin", String::as_str);
    let own = need.interpreter.executable.parent().unwrap_or(Path::new("/"));
    let (npm, path) = if own.join("npm").is_file() {
        (own.join("npm"), format!("{}:{path}", own.display()))
    } else {
        let mut files = path.split(':').map(|folder| Path::new(folder).join("npm"));
        let found = files.find(|file| file.is_file());
        let found = found.ok_or(NoTool(
            "there is no npm: install it (Debian and Ubuntu: apt install npm; it comes with Node from \
             https://nodejs.org)",
        ))?;
        (found, path.to_owned())
    };
    let mut command = Command::new(npm);
    command.args(["install", "--loglevel=error"]).env("PATH", path);
    Ok(command)
}

/// The same for a shell.
pub(super) fn by_hand(folder: &Path) -> String {
    format!("npm install --prefix {}", quoted(folder))
}

/// Adds what the functions in Node load and is not there, and says what is nowhere. Functions with
/// the same interpreter and the same `package.json` share one folder, as all share one image in the
/// cloud.
pub(super) fn add_needs<'a>(
    project: &'a Project,
    interpreters: &Interpreters,
    needs: &mut Needs<'a>,
    notes: &mut Vec<Note>,
) {
    let mut said = BTreeSet::new();
    let mut shared: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for function in &project.functions {
        let interpreter = interpreters.used(&function.name);
        let interpreter = interpreter.filter(|it| it.language == Language::Node);
        let code = interpreter.and_then(|interpreter| Some((interpreter, Code::of(function)?)));
        let Some((interpreter, code)) = code else { continue };
        match code.manifest() {
            Ok(manifest) => {
                said.extend(code.said(&manifest));
                let key = (interpreter, manifest.inputs());
                shared.entry(key).or_default().push((function, code, manifest));
            }
            Err(note) => notes.push(note),
        }
    }
    for ((interpreter, _), functions) in shared {
        let mut manifest = functions[0].2.clone();
        for (_, code, listed) in &functions {
            manifest.add(&code.of_image(listed));
        }
        let names = manifest.names().map(str::to_owned).collect();
        let need = Need::new(interpreter.clone(), manifest.inputs(), names);
        for (function, code, listed) in functions {
            if code.needs(&listed) {
                let mut missing = code.missing().filter(|package| manifest.lists(&package.name));
                let is_required = missing.any(|package| !package.is_optional);
                needs.add(need.clone(), function, is_required);
            }
        }
    }
    let note = |(place, text)| Note { severity: Severity::Warning, place: Some(place), text };
    notes.extend(said.into_iter().map(note));
}
