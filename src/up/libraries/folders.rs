//! The folders of a project, and the files in them that list libraries.

use std::path::{Path, PathBuf};

use project::{Function, Place};

/// Where the code of a function is. Both are without symbolic links.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    pub(super) code: PathBuf,
    /// The folder of the project; that of the code if the code is not below.
    pub(super) root: PathBuf,
}

impl Folders {
    /// None if the code is gone.
    pub(super) fn of(function: &Function) -> Option<Self> {
        let code = function.code.canonicalize().ok()?;
        // The places of a function are relative to the folder of the project.
        let is_root = |folder: &&Path| folder.join(&function.place.file).is_file();
        let root = code.ancestors().find(is_root).unwrap_or(&code).to_owned();
        Some(Self { code, root })
    }

    /// The file in the folder of the code, or else in the nearest one above within the project.
    pub(super) fn nearest(&self, name: &str) -> Option<PathBuf> {
        let within = self.code.ancestors().take_while(|folder| folder.starts_with(&self.root));
        within.map(|folder| folder.join(name)).find(|file| file.is_file())
    }

    pub(super) fn place(&self, file: &Path, line: usize) -> Place {
        let file = file.strip_prefix(&self.root).unwrap_or(file).to_owned();
        Place { file, line }
    }
}
