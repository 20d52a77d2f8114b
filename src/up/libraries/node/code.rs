//! The packages that the code of a function in Node loads, and what is said about them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use project::{Function, ImportKind, Note, Place, Severity};

use super::{
    image::of_image,
    imports::{Package, packages_of},
    package::{self, Manifest},
};
use crate::up::libraries::folders::Folders;

/// A place and what is said about it.
pub(super) type Said = (Place, String);

/// The code of a function, and the packages that it loads.
#[derive(Debug)]
pub(super) struct Code {
    folders: Folders,
    packages: Vec<Package>,
}

impl Code {
    pub(super) fn of(function: &Function) -> Option<Self> {
        let folders = Folders::of(function)?;
        let file = match &function.entry {
            Some(entry) => entry.clone(),
            None => function.handler.rsplit_once('.')?.0.to_owned(),
        };
        let searched = function.environment.get("NODE_PATH").map(String::as_str);
        let searched: Vec<_> = searched.unwrap_or_default().split(':').map(PathBuf::from).collect();
        let packages = packages_of(&folders.code.join(file), &searched);
        Some(Self { folders, packages })
    }

    /// Packages that are not there.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| !package.is_there)
    }

    /// Missing packages that are not listed and that the cloud's image has.
    pub(super) fn of_image(&self, manifest: &Manifest) -> BTreeMap<&'static str, &'static str> {
        let missing = self.missing().filter(|package| !manifest.lists(&package.name));
        missing.filter_map(|package| of_image(&package.name)).collect()
    }

    /// Whether libraries have to be installed. Code without packages needs none, whatever is
    /// listed.
    pub(super) fn needs(&self, manifest: &Manifest) -> bool {
        let is_missing = self.missing().any(|package| manifest.lists(&package.name));
        is_missing
            || !self.of_image(manifest).is_empty()
            || (!self.packages.is_empty() && manifest.has_missing())
    }

    /// What the author should know.
    pub(super) fn said(&self, manifest: &Manifest) -> Vec<Said> {
        let mut said = Vec::new();
        for package in self.missing() {
            let is_installed = manifest.lists(&package.name) || of_image(&package.name).is_some();
            if is_installed && package.kind == ImportKind::Import {
                said.push(self.not_for_import(package));
            } else if !is_installed && !package.is_optional && !manifest.has_left_out(&package.name)
            {
                said.push(self.unknown(package));
            }
        }
        if self.needs(manifest) {
            let left_out = manifest.left_out.iter();
            said.extend(left_out.map(|(name, line)| self.left_out(manifest, name, *line)));
        }
        said
    }

    pub(super) fn manifest(&self) -> Result<Manifest, Note> {
        let Some(file) = self.folders.nearest(package::FILE) else {
            return Ok(Manifest::default());
        };
        Manifest::read(&file).map_err(|(line, what)| Note {
            severity: Severity::Error,
            place: Some(self.folders.place(&file, line)),
            text: what,
        })
    }

    fn unknown(&self, package: &Package) -> Said {
        let text = format!(
            "the package {} is not there, and the cloud's image does not have it: write it into \
             package.json beside the code (npm install {0})",
            package.name
        );
        (self.folders.place(&package.file, package.line), text)
    }

    fn not_for_import(&self, package: &Package) -> Said {
        let listed = self.folders.nearest(package::FILE);
        let folder = listed.as_deref().and_then(Path::parent).unwrap_or(&self.folders.code);
        let text = format!(
            "{} is loaded with import, which does not look where libraries are installed for the \
             function: run npm install {0} in {}, or load it with require",
            package.name,
            folder.display(),
        );
        (self.folders.place(&package.file, package.line), text)
    }

    fn left_out(&self, manifest: &Manifest, name: &str, line: usize) -> Said {
        let text = format!(
            "{name} is not installed, because it is a folder or a file of your own: run npm install \
             where this file is"
        );
        (self.folders.place(&manifest.file, line), text)
    }
}
