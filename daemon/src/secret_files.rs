//! The files with secrets that this process has read: settings, tokens and keys. Programs that this
//! process starts have no business there.
//!
//! One list for the process, as there is one for the log's redactions: whoever reads such a file
//! notes it here.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf, absolute},
    sync::{Mutex, MutexGuard},
};

static FILES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// `file` has a secret. A relative path starts at the working directory.
pub fn note(file: &Path) {
    if let Ok(file) = absolute(file) {
        files().insert(file);
    }
}

/// The absolute paths of all files noted so far. Some may be gone.
pub fn all() -> Vec<PathBuf> {
    files().iter().cloned().collect()
}

fn files() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    FILES.lock().expect("nothing panics with the lock held")
}

#[cfg(test)]
mod tests {
    use std::{env::current_dir, path::Path};

    use super::{all, note};

    #[test]
    fn a_noted_file_is_listed_once_by_its_absolute_path() {
        let here = current_dir().unwrap().join("a-secret-of-this-test");
        for _ in 0..2 {
            note(Path::new("a-secret-of-this-test"));
            note(&here);
        }
        assert_eq!(all().iter().filter(|file| **file == here).count(), 1);
    }
}
