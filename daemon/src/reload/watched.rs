//! Which paths are watched for a settings file, and for the folders that it names.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tracing::warn;

use super::{
    changes,
    places::{ENTRIES_MAX, FolderId, Places, id_of, walk},
};

/// What is watched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Watched {
    /// The places of each file, and of each folder by its name.
    files: Vec<Places>,
    folders: Vec<(PathBuf, Places)>,
    /// The folders for the watcher, and which folder each is: another one of the same name has to
    /// be watched anew.
    watches: BTreeMap<PathBuf, (Watch, FolderId)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// What is directly in the folder. Many programs change a file or a folder by putting a new
    /// one in its place, which is a change in the folder around it.
    Flat,
    Deep,
}

impl Watched {
    /// `files`, and `folders` with everything in them. Looks at all files.
    pub(super) fn new(files: &[PathBuf], folders: &[PathBuf]) -> Self {
        let files = files.iter().map(|file| Places::of_file(file)).collect();
        let folders = folders.iter().map(|folder| (folder.clone(), walk(folder, |_, _| {})));
        let mut watched = Self { files, folders: folders.collect(), watches: BTreeMap::new() };
        watched.watches = watched.all_watches();
        watched
    }

    fn all_watches(&self) -> BTreeMap<PathBuf, (Watch, FolderId)> {
        let mut watches = BTreeMap::new();
        for places in self.places() {
            let roots = places.folders.keys();
            for around in roots.chain(&places.singles).filter_map(|path| path.parent()) {
                if let Some(id) = id_of(around) {
                    watches.entry(around.to_owned()).or_insert((Watch::Flat, id));
                }
            }
        }
        for (folder, id) in self.places().flat_map(|places| &places.folders) {
            watches.insert(folder.clone(), (Watch::Deep, *id));
        }
        watches
    }

    /// Whether something at `path` concerns what is watched. The folder around a file goes together
    /// with the file.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        self.places().any(|places| {
            places.have(path) || places.singles.iter().any(|single| single.starts_with(path))
        })
    }

    /// Counts changes of the folders from now on.
    pub(super) fn count(&self) {
        for (folder, places) in &self.folders {
            changes::begin(folder, places.clone());
        }
    }

    /// Has all of it watched.
    pub(super) fn watch_with(&self, watcher: &mut RecommendedWatcher) {
        for (folder, _) in self.folders.iter().filter(|(_, places)| !places.is_complete) {
            let folder = folder.display();
            warn!(
                "{folder}, with what its links lead to, has more than {ENTRIES_MAX} files: changes \
                 of some will not be seen"
            );
        }
        for (path, (watch, _)) in &self.watches {
            let mode = match watch {
                Watch::Flat => RecursiveMode::NonRecursive,
                Watch::Deep => RecursiveMode::Recursive,
            };
            if let Err(error) = watcher.watch(path, mode) {
                let path = path.display();
                warn!(%error, "changes in {path} will not be seen: use SIGHUP to have it read again");
            }
        }
    }

    fn places(&self) -> impl Iterator<Item = &Places> {
        self.folders.iter().map(|(_, places)| places).chain(&self.files)
    }
}
