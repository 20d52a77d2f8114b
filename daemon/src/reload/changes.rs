//! How often something has changed in each watched folder. Known at once, before a change in
//! several steps is over.

use std::{
    collections::BTreeMap,
    mem,
    path::{self, Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use super::places::Places;

/// Folders that interpreters and tools write. A change in them does not count.
pub(super) const LEFT_OUT: [&str; 2] = ["__pycache__", ".git"];

/// One table for the process, as there is one file system.
static CHANGES: Mutex<BTreeMap<PathBuf, Changes>> = Mutex::new(BTreeMap::new());

/// The changes of one folder, by the name that it is watched by.
#[derive(Debug, Default)]
struct Changes {
    places: Places,
    count: u64,
}

/// How often something has changed in `folder` since it was watched for the first time.
pub fn changes_in(folder: &Path) -> u64 {
    changes().get(&absolute(folder)).map_or(0, |changes| changes.count)
}

/// `folder` is about to be watched, and its content is in `places`.
pub(super) fn begin(folder: &Path, places: Places) {
    let before = {
        let mut changes = changes();
        mem::replace(&mut changes.entry(absolute(folder)).or_default().places, places)
    };
    // Others wait for the lock. There may be many of these paths.
    drop(before);
}

/// Something has changed at `path`.
pub(super) fn count(path: &Path) {
    if path.iter().any(|name| LEFT_OUT.iter().any(|left_out| name == *left_out)) {
        return;
    }
    for changes in changes().values_mut() {
        changes.count += u64::from(changes.places.have(path));
    }
}

/// Changes may have been missed, nobody knows where.
pub(super) fn count_everywhere() {
    changes().values_mut().for_each(|changes| changes.count += 1);
}

/// As the system names it that says what has changed.
fn absolute(folder: &Path) -> PathBuf {
    path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

fn changes() -> MutexGuard<'static, BTreeMap<PathBuf, Changes>> {
    CHANGES.lock().expect("nothing panics with the lock held")
}

/// While this is held, nothing is counted, and nothing begins to be.
#[cfg(test)]
pub(super) fn held() -> impl Drop {
    changes()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{begin, changes_in, count};
    use crate::reload::walk;

    #[test]
    fn a_folder_counts_what_happens_to_it_in_it_and_behind_its_links() {
        let around = tempfile::tempdir().unwrap();
        let around = around.path().canonicalize().unwrap();
        let folder = around.join("folder");
        for name in ["folder", "shared"] {
            fs::create_dir(around.join(name)).unwrap();
        }
        symlink("../shared", folder.join("vendor")).unwrap();
        symlink("../util.py", folder.join("util.py")).unwrap();
        begin(&folder, walk(&folder, |_, _| {}));
        for name in ["folder", "folder/index.py", "shared", "shared/package.py", "util.py"] {
            count(&around.join(name));
        }
        for other in ["", "folder.new", "other/index.py", "util.py.new"] {
            count(&around.join(other));
        }
        for left_out in ["folder/__pycache__/index.pyc", "shared/.git/index"] {
            count(&around.join(left_out));
        }
        assert_eq!(changes_in(&folder), 5);
        begin(&folder, walk(&folder, |_, _| {}));
        assert_eq!(changes_in(&folder), 5);
        assert_eq!(changes_in(&around.join("other")), 0);
    }
}
