//! The libraries that the functions of a project import and do not bring along: installed once into
//! a cache, never into the folder of the author.
//!
//! What is listed in `requirements.txt` or `package.json`, and what the cloud's image has. Nothing
//! else is installed: a name in an import may be that of somebody else's package.

mod cache;
mod folders;
mod install;
mod limit;
mod need;
mod node;
mod notes;
mod python;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use project::{Function, Note, Project};

use self::{cache::Cache, install::get, need::Need};
use super::interpreters::Interpreters;

/// The libraries of the functions of a project.
#[derive(Debug, Default)]
pub(super) struct Libraries {
    /// For each function that needs one, a folder for `PYTHONPATH` or `NODE_PATH`.
    pub(super) of: BTreeMap<String, PathBuf>,
    /// What the author should know.
    pub(super) notes: Vec<Note>,
}

/// What is done about libraries that are missing.
#[derive(Clone, Copy)]
pub(super) enum Missing<'a> {
    /// They are installed. The function gets lines for the terminal.
    Installed(&'a (dyn Fn(&str) + Sync)),
    /// They are named in notes, and nothing is written.
    Named,
}

/// Looks for what the functions import and is not in their own folders, in `cache`. pip and npm
/// have what they need of `variables`.
///
/// The longest wait is that for pip or npm. If the future is dropped, they are killed, and what
/// they have installed by then is never used.
pub(super) async fn find(
    project: &Project,
    interpreters: &Interpreters,
    cache: &Path,
    missing: Missing<'_>,
    variables: &BTreeMap<String, String>,
) -> Libraries {
    let cache = Cache::new(cache);
    if matches!(missing, Missing::Installed(_)) {
        cache.forget_unfinished();
    }
    let mut libraries = Libraries::default();
    let notes = &mut libraries.notes;
    let imported = python::Imported::of(project, interpreters, variables, notes).await;
    let mut needs = Needs::default();
    imported.add_needs(&mut needs, notes);
    node::add_needs(project, interpreters, &mut needs, notes);
    for (need, of) in &needs.0 {
        let folder = match missing {
            Missing::Installed(progress) => {
                get(&cache, need, &of.functions, progress, variables).await
            }
            Missing::Named if cache.whole(need).is_dir() => Ok(need.searched(&cache.whole(need))),
            Missing::Named => {
                libraries.notes.push(notes::would_be_installed(need, of));
                continue;
            }
        };
        match folder {
            Ok(folder) => {
                for function in &of.functions {
                    match limit::check(function, need.language(), &folder) {
                        Ok(()) => drop(libraries.of.insert(function.name.clone(), folder.clone())),
                        Err(note) => libraries.notes.push(note),
                    }
                }
            }
            Err(failure) => libraries.notes.push(notes::failed(need, of, &failure)),
        }
    }
    imported.note_missing(&needs, variables, &mut libraries).await;
    libraries
}

/// What is needed, and which functions need it.
#[derive(Debug, Default)]
struct Needs<'a>(BTreeMap<Need, NeedOf<'a>>);

#[derive(Debug, Default)]
struct NeedOf<'a> {
    functions: Vec<&'a Function>,
    /// Whether one of them certainly fails without.
    is_required: bool,
}

impl<'a> Needs<'a> {
    fn add(&mut self, need: Need, function: &'a Function, is_required: bool) {
        let of = self.0.entry(need).or_default();
        of.functions.push(function);
        of.is_required |= is_required;
    }

    fn of(&self, function: &Function) -> Option<&Need> {
        let has = |of: &NeedOf<'_>| of.functions.iter().any(|other| other.name == function.name);
        self.0.iter().find(|(_, of)| has(of)).map(|(need, _)| need)
    }
}
