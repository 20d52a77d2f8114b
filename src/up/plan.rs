//! What a project is, and the settings that run it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use project::{Note, Project, Reading, SettingsTexts, Severity, Surroundings, read};
use tokio::task::spawn_blocking;

use super::{
    interpreters,
    libraries::{self, Missing},
};

/// What a project is, and the settings that run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) project: Project,
    /// What the author should know, in the order of files and lines.
    pub(super) notes: Vec<Note>,
    pub(super) texts: SettingsTexts,
}

/// Where what is made for a project is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    /// What the services keep. A relative path starts at the working folder.
    pub(super) data: PathBuf,
    /// The settings files.
    pub(super) settings: PathBuf,
    /// Installed libraries.
    pub(super) libraries: PathBuf,
    /// The shim of the component `websocket`.
    pub(super) shim: PathBuf,
}

/// The environment of the process.
type Variables = BTreeMap<String, String>;

impl Plan {
    /// Reads the project in `folder`.
    pub(super) async fn make(
        folder: &Path,
        places: &Places,
        variables: &Variables,
        missing: Missing<'_>,
    ) -> Self {
        let Reading { project, mut notes, .. } = read_apart(folder, variables).await;
        let interpreters = interpreters::find(&project, variables).await;
        let cache = &places.libraries;
        let libraries = libraries::find(&project, &interpreters, cache, missing, variables).await;
        notes.extend(interpreters.notes);
        notes.extend(libraries.notes);
        Note::sort(&mut notes);
        let surroundings = Surroundings {
            data: places.data.clone(),
            libraries: libraries.of,
            interpreters: interpreters.of,
            shim: Some(places.shim.clone()),
            base: places.settings.clone(),
        };
        let texts = project.settings(&surroundings);
        Self { project, notes, texts }
    }

    /// How many parts of the project cannot run.
    pub(super) fn errors(&self) -> usize {
        self.notes.iter().filter(|note| note.severity == Severity::Error).count()
    }

    /// 1 if a part cannot run.
    pub(super) fn exit_code(&self) -> ExitCode {
        if self.errors() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// The folders of code that the runner does not watch, since the shim is in its place.
    pub(super) fn behind_shim(&self) -> Vec<PathBuf> {
        let functions = self.project.functions.iter().filter(|function| function.entry.is_some());
        functions.map(|function| function.code.clone()).collect()
    }
}

/// Blocking: many files may be read.
async fn read_apart(folder: &Path, variables: &Variables) -> Reading {
    let (folder, variables) = (folder.to_owned(), variables.clone());
    let reading = spawn_blocking(move || read(&folder, &variables));
    reading.await.expect("reading a project does not panic")
}
