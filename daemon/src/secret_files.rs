//! The files with secrets that this process reads: settings, tokens and keys. Programs that this
//! process starts must not read them.
//!
//! One list for the process, as there is one for the log's redactions: whoever reads such a file
//! notes it here.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf, absolute},
    sync::{Mutex, MutexGuard},
};

static NOTED: Mutex<SecretFiles> = Mutex::new(SecretFiles {
    files: BTreeSet::new(),
    likely_folders: BTreeSet::new(),
    folders: BTreeSet::new(),
});

/// What has secrets, by absolute paths. Some may be gone, or not be there yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretFiles {
    /// Files, of whatever folder.
    pub files: BTreeSet<PathBuf>,
    /// Folders of such files that are for secrets alone if nothing else is in them.
    pub likely_folders: BTreeSet<PathBuf>,
    /// Folders that are for secrets alone.
    pub folders: BTreeSet<PathBuf>,
}

/// `file` has a secret, and its folder is for anything. A relative path starts at the working
/// directory.
pub fn note(file: &Path) {
    if let Ok(file) = absolute(file) {
        noted().files.insert(file);
    }
}

/// The same for a file whose place somebody has chosen: if its folder has nothing but secrets, the
/// folder is for them alone.
pub fn note_chosen(file: &Path) {
    note(file);
    let folder = absolute(file).ok().and_then(|file| file.parent().map(Path::to_owned));
    noted().likely_folders.extend(folder);
}

/// `folder` is for secrets alone.
pub fn note_folder(folder: &Path) {
    if let Ok(folder) = absolute(folder) {
        noted().folders.insert(folder);
    }
}

/// Files, and folders that are for secrets alone, that have been noted since this was asked last,
/// by whatever part of the process. The first answer is empty.
pub(crate) fn new_since_last_asked() -> Vec<PathBuf> {
    static KNOWN: Mutex<Option<BTreeSet<PathBuf>>> = Mutex::new(None);
    let mut known = KNOWN.lock().expect("nothing panics with the lock held");
    let SecretFiles { mut files, mut folders, .. } = all();
    files.append(&mut folders);
    match known.replace(files.clone()) {
        Some(known) => files.difference(&known).cloned().collect(),
        None => Vec::new(),
    }
}

/// All that is noted so far.
pub fn all() -> SecretFiles {
    noted().clone()
}

fn noted() -> MutexGuard<'static, SecretFiles> {
    NOTED.lock().expect("nothing panics with the lock held")
}

#[cfg(test)]
mod tests {
    use std::{env::current_dir, path::Path};

    use super::{all, note, note_chosen, note_folder};

    #[test]
    fn what_is_noted_is_listed_by_its_absolute_path() {
        let here = current_dir().unwrap();
        note(Path::new("shared-of-this-test/a"));
        note_chosen(Path::new("chosen-of-this-test/b"));
        note_folder(Path::new("folder-of-this-test"));
        let noted = all();
        let [a, b] = ["shared-of-this-test/a", "chosen-of-this-test/b"].map(|it| here.join(it));
        assert!(noted.files.contains(&a) && noted.files.contains(&b), "{noted:?}");
        assert!(noted.likely_folders.contains(b.parent().unwrap()), "{noted:?}");
        assert!(!noted.likely_folders.contains(a.parent().unwrap()), "{noted:?}");
        assert!(noted.folders.contains(&here.join("folder-of-this-test")), "{noted:?}");
    }
}
