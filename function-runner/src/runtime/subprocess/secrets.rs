//! The files of this process that have secrets, which no instance should read.
//!
//! A folder that has nothing but such files is kept from an instance as a whole, so that it does
//! not see a file either that replaces another one later. Of other folders each file is.

mod fence;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use daemon::secret_files;

pub(super) use self::fence::Fence;
use super::trial;

/// The files and folders, without symbolic links: a link may be changed while an instance runs.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// Folders of nothing but secrets.
    pub(super) folders: BTreeSet<PathBuf>,
    /// Secrets in other folders.
    pub(super) files: BTreeSet<PathBuf>,
}

impl Secrets {
    /// Those that there are now.
    pub(super) fn now() -> Self {
        Self::of(&secret_files::all())
    }

    fn of(secrets: &[PathBuf]) -> Self {
        let files = secrets.iter().filter_map(|file| file.canonicalize().ok());
        let files: BTreeSet<_> = files.filter(|file| file.is_file()).collect();
        let has_only_secrets = |folder: &&Path| {
            entries(folder).is_ok_and(|all| all.iter().all(|entry| files.contains(entry)))
        };
        let folders = files.iter().filter_map(|file| file.parent()).filter(has_only_secrets);
        let folders: BTreeSet<_> = folders.map(Path::to_owned).collect();
        let is_in = |file: &PathBuf| file.parent().is_some_and(|folder| folders.contains(folder));
        let files = files.into_iter().filter(|file| !is_in(file)).collect();
        Self { folders, files }
    }

    /// All but those in `folder`, which are a function's own.
    pub(super) fn outside(mut self, folder: &Path) -> Self {
        self.folders.retain(|secrets| !secrets.starts_with(folder));
        self.files.retain(|secrets| !secrets.starts_with(folder));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }

    /// Those that an instance of the runner's user can read where no mount can be made.
    pub(super) fn open_without_mounts(mut self) -> BTreeSet<PathBuf> {
        let fence = Fence::around(&self.folders);
        if !fence.is_some_and(|fence| trial::succeeds(move || fence.set())) {
            self.files.append(&mut self.folders);
        }
        self.files
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Secrets;

    #[test]
    fn only_folders_of_nothing_but_secrets_are_taken_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["closed/a", "closed/b", "mixed/a", "mixed/code", "code/a"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "text").unwrap();
        }
        let secrets = ["closed/a", "closed/b", "mixed/a", "gone/a", "code/a", "closed"];
        let secrets = Secrets::of(&secrets.map(|name| root.join(name))).outside(&root.join("code"));
        assert!(secrets.folders.iter().eq([&root.join("closed")]), "{secrets:?}");
        assert!(secrets.files.iter().eq([&root.join("mixed/a")]), "{secrets:?}");
    }
}
