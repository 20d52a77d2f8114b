//! What this process has of secrets, which no instance should read: files, and folders that are for
//! them alone.
//!
//! Such a folder is kept from an instance as a whole, so that it does not see a file either that
//! comes later, or replaces another one.

mod fence;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use daemon::secret_files::{self, SecretFiles};

pub(super) use self::fence::Fence;
use super::trial;

/// Without symbolic links: a link may be changed while an instance runs.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// Folders for nothing but secrets.
    pub(super) folders: BTreeSet<PathBuf>,
    /// Secrets in other folders.
    pub(super) files: BTreeSet<PathBuf>,
}

impl Secrets {
    /// Those that there are now. A folder that was once for secrets alone stays one: a function
    /// could put something beside them.
    pub(super) fn now() -> Self {
        static FOLDERS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
        let mut folders = FOLDERS.lock().expect("nothing panics with the lock held");
        let secrets = Self::of(&secret_files::all(), &folders);
        folders.extend(secrets.folders.iter().cloned());
        secrets
    }

    fn of(noted: &SecretFiles, known: &BTreeSet<PathBuf>) -> Self {
        let files = real(&noted.files, Path::is_file);
        let has_only_secrets = |folder: &PathBuf| {
            entries(folder).is_ok_and(|all| all.iter().all(|entry| files.contains(entry)))
        };
        let likely = real(&noted.likely_folders, Path::is_dir);
        let mut folders = real(&noted.folders, Path::is_dir);
        folders.extend(likely.into_iter().filter(has_only_secrets));
        folders.extend(known.iter().filter(|folder| folder.is_dir()).cloned());
        let is_in = |file: &PathBuf| file.parent().is_some_and(|folder| folders.contains(folder));
        let files = files.into_iter().filter(|file| !is_in(file)).collect();
        Self { folders, files }
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

/// Those of `paths` that are there and are such, without symbolic links.
fn real(paths: &BTreeSet<PathBuf>, is_such: fn(&Path) -> bool) -> BTreeSet<PathBuf> {
    let paths = paths.iter().filter_map(|path| path.canonicalize().ok());
    paths.filter(|path| is_such(path)).collect()
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use daemon::secret_files::SecretFiles;

    use super::Secrets;

    #[test]
    fn folders_for_secrets_alone_are_taken_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["chosen/a", "chosen/b", "mixed/a", "mixed/code", "data/a"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "text").unwrap();
        }
        fs::create_dir(root.join("new")).unwrap();
        let at = |names: &[&str]| names.iter().map(|name| root.join(name)).collect::<BTreeSet<_>>();
        let noted = SecretFiles {
            files: at(&["chosen/a", "chosen/b", "mixed/a", "data/a", "gone/a"]),
            likely_folders: at(&["chosen", "mixed", "gone"]),
            folders: at(&["new", "absent"]),
        };
        let secrets = Secrets::of(&noted, &BTreeSet::new());
        // More may come into the folder that nobody has chosen for secrets.
        assert_eq!(secrets.files, at(&["mixed/a", "data/a"]));
        assert_eq!(secrets.folders, at(&["chosen", "new"]));
        fs::write(root.join("chosen/of-a-function"), "text").unwrap();
        let later = Secrets::of(&noted, &secrets.folders);
        assert_eq!((later.folders, later.files), (secrets.folders, secrets.files));
    }
}
