//! Real pip and npm install from folders and listeners of the test, so no network is needed.

mod npm;
mod pip;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use daemon::process::variables;
use project::{Note, Project};
use tempfile::TempDir;

use super::{Libraries, Missing, find};
use crate::up::interpreters::{self, Interpreters};

/// A project, and a cache beside it.
struct Place {
    folder: TempDir,
    variables: BTreeMap<String, String>,
    progress: Mutex<Vec<String>>,
}

impl Place {
    /// A project of these files, with an environment for pip and npm.
    fn new(files: &[(&str, &str)], added: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            write(&folder.path().join("project").join(file), text);
        }
        let mut variables = variables();
        // What this machine has set up for pip and npm would change what they find.
        variables.retain(|key, _| {
            let key = key.to_lowercase();
            !key.starts_with("pip_") && !key.starts_with("npm_")
        });
        variables.extend(added.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        Self { folder, variables, progress: Mutex::default() }
    }

    fn project(&self) -> Project {
        let reading = project::read(&self.folder.path().join("project"), &BTreeMap::new());
        assert!(!reading.has_errors(), "{:?}", reading.notes);
        reading.project
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("a cache")
    }

    async fn interpreters(&self) -> Interpreters {
        interpreters::find(&self.project(), &self.variables).await
    }

    async fn install(&self) -> Libraries {
        let progress = |line: &str| self.progress.lock().unwrap().push(line.to_owned());
        let interpreters = self.interpreters().await;
        let (project, cache) = (self.project(), self.cache());
        let missing = Missing::Installed(&progress);
        find(&project, &interpreters, &cache, missing, &self.variables).await
    }

    /// What a check says, which writes nothing.
    async fn check(&self) -> Libraries {
        let (project, interpreters) = (self.project(), self.interpreters().await);
        find(&project, &interpreters, &self.cache(), Missing::Named, &self.variables).await
    }

    /// The lines of progress since the last call.
    fn progress(&self) -> Vec<String> {
        std::mem::take(&mut self.progress.lock().unwrap())
    }

    /// All files of the project.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = files(&self.folder.path().join("project"));
        files.sort();
        files
    }

    /// Runs a line in a shell, with the variables of the place and more.
    fn shell(&self, line: &str, more: &[(&str, String)]) {
        let mut command = Command::new("/bin/sh");
        command.args(["-ec", line]).env_clear().envs(&self.variables);
        command.envs(more.iter().map(|(key, value)| (key, value)));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// `serverless.yml` of functions whose code is a folder with their name.
fn yaml(runtime: &str, functions: &[&str]) -> String {
    let mut text = "component: multi-scf\nname: many\ninputs:\n  functions:\n".to_owned();
    for name in functions {
        text += &format!(
            "    {name}:\n      name: {name}\n      src: ./{name}\n      handler: index.main_handler\n      \
             runtime: {runtime}\n"
        );
    }
    text
}

fn said(notes: &[Note]) -> Vec<String> {
    notes.iter().map(|note| format!("{} {note}", note.severity)).collect()
}

/// The one note, which has all of `expected` in it.
fn only_note(libraries: &Libraries, expected: &[&str]) -> String {
    let notes = said(&libraries.notes);
    let [note] = &notes[..] else { panic!("{notes:#?}") };
    for part in expected {
        assert!(note.contains(part), "{part:?} in {note}");
    }
    note.clone()
}
