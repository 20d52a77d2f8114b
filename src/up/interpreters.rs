//! Which Python or Node of this machine runs each function of a project.
//!
//! The release that the cloud's runtime names, if it is here; otherwise the one in PATH, with what
//! differs. Nothing is installed.

mod ask;
mod candidates;
mod choice;
mod differences;
mod language;
mod notes;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use project::{Function, Note, Project};

pub(super) use self::{ask::Interpreter, language::Language, notes::names};
use self::{
    candidates::Candidates,
    choice::{Choice, Finder},
};

/// The interpreters of the functions of a project.
#[derive(Debug, Default)]
pub(super) struct Interpreters {
    /// The interpreter of each function that needs another one than the first `python3` or `node`
    /// in PATH.
    pub(super) of: BTreeMap<String, PathBuf>,
    /// What the author should know.
    pub(super) notes: Vec<Note>,
    /// What runs each function, also where it is the first one in PATH.
    used: BTreeMap<String, Arc<Interpreter>>,
}

impl Interpreters {
    /// None for a function that nothing on this machine runs, or that is a program of its own.
    pub(super) fn used(&self, function: &str) -> Option<&Arc<Interpreter>> {
        self.used.get(function)
    }
}

/// Looks for the interpreters of all functions. `environment` is that of the process.
pub(super) async fn find(
    project: &Project,
    environment: &BTreeMap<String, String>,
) -> Interpreters {
    let mut found = Interpreters::default();
    for (wanted, functions) in by_release(project) {
        let mut finder = Finder::new(wanted.language, Candidates { environment });
        let choice = finder.choose(wanted.release).await;
        found.notes.extend(notes::note(wanted, &choice, &functions));
        let Choice { interpreter: Some(interpreter), .. } = choice else { continue };
        let interpreter = Arc::new(interpreter);
        let is_written = !finder.is_first_in_path(&interpreter.executable);
        for function in functions {
            let name = &function.name;
            found.used.insert(name.clone(), interpreter.clone());
            if is_written {
                found.of.insert(name.clone(), interpreter.executable.clone());
            }
        }
    }
    found
}

/// What functions want to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    language: Language,
    /// None: any.
    release: Option<u32>,
}

fn by_release(project: &Project) -> BTreeMap<Wanted, Vec<&Function>> {
    let mut functions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for function in &project.functions {
        if let Some(language) = Language::of(function.runtime) {
            let release = language.release_of(&function.cloud_runtime);
            functions.entry(Wanted { language, release }).or_default().push(function);
        }
    }
    functions
}

fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().ok();
    one == other || (whole(one).is_some() && whole(one) == whole(other))
}
