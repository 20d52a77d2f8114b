//! Reads the project that somebody has made for a cloud's functions (`serverless.yml` of Tencent's
//! components, or `template.yaml` of SAM), and makes the settings of Longhold of it.
//!
//! It opens no socket, starts nothing and writes nothing: whoever calls it does. What it does not
//! understand, and what cannot run, it says in notes, with file and line.

mod assembly;
mod code;
mod components;
mod context;
mod documents;
mod files;
mod functions;
mod model;
mod nearest;
mod note;
mod references;
mod settings;
mod yaml;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use self::{
    assembly::assemble, components::parts, context::Context, note::Notes, references::References,
};
pub use self::{
    code::{Import, ImportKind, javascript_imports},
    model::{Bucket, Function, Project, Runtime, WebSocketApi, Website},
    note::{Note, Place, Severity},
    settings::{SettingsTexts, Surroundings},
};

/// What a folder has of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What can run.
    pub project: Project,
    /// What the author should know, in the order of files and lines.
    pub notes: Vec<Note>,
    /// The files that were read and decide the project: the YAML files, and the `.env` files, also
    /// those that were looked for and are not there. To be watched. Each begins with the folder.
    pub sources: Vec<PathBuf>,
}

impl Reading {
    /// Whether a part of the project cannot run.
    pub fn has_errors(&self) -> bool {
        self.notes.iter().any(|note| note.severity == Severity::Error)
    }
}

/// Reads the project below `folder`. `environment` is that of the process: it comes before `.env`.
///
/// Never panics, opens no socket, starts nothing and writes nothing.
pub fn read(folder: &Path, environment: &BTreeMap<String, String>) -> Reading {
    let (mut notes, mut sources) = (Notes::default(), Vec::new());
    let documents = documents::load(folder, &mut notes, &mut sources);
    let references = References::new(&documents, environment);
    let mut context = Context { folder, references: &references, notes };
    let parts = parts(&mut context);
    let project = assemble(&mut context, parts, environment);
    Reading { project, notes: context.notes.into_sorted(), sources }
}
