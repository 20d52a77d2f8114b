//! How often something has changed in each watched folder. Known at once, before a change in
//! several steps is over.

use std::{
    collections::BTreeMap,
    path::{self, Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

/// Folders that interpreters and tools write. A change in them does not count.
pub const LEFT_OUT: [&str; 2] = ["__pycache__", ".git"];

/// One table for the process, as there is one file system.
static CHANGES: Mutex<BTreeMap<PathBuf, u64>> = Mutex::new(BTreeMap::new());

/// How often something has changed in `folder` since it was watched for the first time.
pub fn changes_in(folder: &Path) -> u64 {
    changes().get(&absolute(folder)).copied().unwrap_or(0)
}

/// `folder` is about to be watched.
pub(super) fn begin(folder: &Path) {
    changes().entry(absolute(folder)).or_default();
}

/// Something has changed at `path`.
pub(super) fn count(path: &Path) {
    let is_in = |folder: &Path| {
        let below = path.strip_prefix(folder).ok()?;
        below.iter().all(|name| LEFT_OUT.iter().all(|left_out| name != *left_out)).then_some(())
    };
    for (folder, count) in changes().iter_mut() {
        *count += u64::from(is_in(folder).is_some());
    }
}

/// Changes may have been missed, nobody knows where.
pub(super) fn count_everywhere() {
    changes().values_mut().for_each(|count| *count += 1);
}

/// As the system names it that says what has changed.
fn absolute(folder: &Path) -> PathBuf {
    path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

fn changes() -> MutexGuard<'static, BTreeMap<PathBuf, u64>> {
    CHANGES.lock().expect("nothing panics with the lock held")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{begin, changes_in, count};

    #[test]
    fn a_folder_counts_what_happens_to_it_and_in_it() {
        let folder = Path::new("/of-this-test/folder");
        begin(folder);
        for name in ["", "index.py", "vendor/package.py"] {
            count(&folder.join(name));
        }
        for other in ["/of-this-test", "/of-this-test/folder.new", "/of-this-test/other/index.py"] {
            count(Path::new(other));
        }
        for left_out in ["__pycache__/index.pyc", "vendor/.git/index"] {
            count(&folder.join(left_out));
        }
        assert_eq!(changes_in(folder), 3);
        begin(folder);
        assert_eq!(changes_in(folder), 3);
        assert_eq!(changes_in(Path::new("/of-this-test/other")), 0);
    }
}
