//! The code of a function, and whether it is still what the instances were started from.
//!
//! A look at all files, and at what links lead to, is for a reload only: it compares their names,
//! sizes, times and inodes. Only at SIGHUP it compares data behind links too, which may be
//! templates or texts that the code has read. Between two looks the watched folder counts its
//! changes. The content of files is never read.

use std::{
    fs::Metadata,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use daemon::reload::{Trigger, changes_in, walk};

/// In place of a count: the last look found other code.
const DIFFERS: u64 = u64::MAX;

/// The code of one function.
#[derive(Debug)]
pub(super) struct Code {
    /// Without symbolic links. A link that is switched leaves this folder as it is.
    folder: PathBuf,
    /// The same folder as the settings name it. It is watched by this name.
    watched: PathBuf,
    version: CodeVersion,
    /// The count of changes at the last look, or [`DIFFERS`].
    settled: AtomicU64,
    /// Whether the last look at SIGHUP found other data behind links.
    has_other_data: AtomicBool,
}

impl Code {
    /// The code that is in `folder` now, which is watched by the name `watched`.
    pub(super) fn new(folder: &Path, watched: &Path) -> Self {
        // Before the look at the files: a change during the look counts.
        let settled = changes_in(watched).into();
        let version = CodeVersion::of(folder);
        Self {
            folder: folder.to_owned(),
            watched: watched.to_owned(),
            version,
            settled,
            has_other_data: AtomicBool::new(false),
        }
    }

    /// Whether the folder may have other code by now. Looks at no file.
    pub(super) fn may_differ(&self) -> bool {
        changes_in(&self.watched) != self.settled.load(Ordering::Relaxed)
    }

    /// Whether the folder has other code by now, or at SIGHUP other data. Looks at all files.
    pub(super) fn differs(&self, trigger: Trigger) -> bool {
        // A change during the look is one for the next look.
        let changes = changes_in(&self.watched);
        let version = CodeVersion::of(&self.folder);
        if trigger == Trigger::Hangup {
            let has_other_data = !version.has_same_data(self.version);
            self.has_other_data.store(has_other_data, Ordering::Relaxed);
        }
        let differs =
            version.code != self.version.code || self.has_other_data.load(Ordering::Relaxed);
        self.settled.store(if differs { DIFFERS } else { changes }, Ordering::Relaxed);
        differs
    }
}

/// Hashes of what the files look like from outside: other code has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CodeVersion {
    code: u64,
    /// Of data behind links. None if there is more code or data than is looked at.
    data: Option<u64>,
}

impl CodeVersion {
    /// The version of what is in `folder` now. Takes some system calls for each file.
    fn of(folder: &Path) -> Self {
        let (mut code, mut data) = (0_u64, 0_u64);
        let places = walk(folder, |path, metadata| code = code.wrapping_add(hash(path, metadata)));
        let is_all =
            places.look_at_data(|path, metadata| data = data.wrapping_add(hash(path, metadata)));
        Self { code, data: is_all.then_some(data) }
    }

    /// Whether both are known to have the same data.
    fn has_same_data(self, other: Self) -> bool {
        self.data.is_some() && self.data == other.data
    }
}

/// The hash of one file. Hashes are added up, so that the order of files does not matter. A file
/// that cannot be looked at counts too: it could be before, or will be later.
fn hash(path: &Path, metadata: Option<&Metadata>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (path, metadata.map(parts)).hash(&mut hasher);
    hasher.finish()
}

type Parts = (i64, i64, [i64; 2], [i64; 2], u32);

/// `None` for a folder, whose files are entries of their own.
///
/// The time of a change of the file itself tells content apart that was written in place with the
/// same size and time, as `rsync --inplace --times` does.
fn parts(metadata: &Metadata) -> Option<Parts> {
    let size = metadata.size().cast_signed();
    let inode = metadata.ino().cast_signed();
    let written = [metadata.mtime(), metadata.mtime_nsec()];
    let changed = [metadata.ctime(), metadata.ctime_nsec()];
    let parts = (size, inode, written, changed, metadata.mode());
    (!metadata.is_dir()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        os::unix::fs::symlink,
    };

    use daemon::reload::Trigger;

    use super::{Code, CodeVersion};

    #[test]
    fn a_difference_is_remembered_until_a_look_finds_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("vendor")).unwrap();
        fs::write(path("vendor/index.py"), "one").unwrap();
        let code = Code::new(folder.path(), folder.path());
        assert!(!code.may_differ());
        fs::rename(path("vendor"), path("moved")).unwrap();
        // Nobody watches this folder: only a look finds the difference.
        assert!(!code.may_differ());
        assert!(code.differs(Trigger::Change));
        assert!(code.may_differ());
        fs::rename(path("moved"), path("vendor")).unwrap();
        assert!(code.may_differ());
        assert!(!code.differs(Trigger::Change));
        assert!(!code.may_differ());
    }

    #[test]
    fn data_behind_links_counts_from_sighup_on() {
        let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = |name: &str| data.path().join(name);
        fs::create_dir(path("pages")).unwrap();
        fs::write(path("pages/index.html"), "").unwrap();
        symlink(data.path(), folder.path().join("templates")).unwrap();
        let code = Code::new(folder.path(), folder.path());
        assert!(!code.differs(Trigger::Hangup));
        fs::rename(path("pages"), path("moved")).unwrap();
        assert!(!code.differs(Trigger::Change));
        assert!(code.differs(Trigger::Hangup));
        // The new code was refused: what is found stays so.
        assert!(code.differs(Trigger::Change));
        fs::rename(path("moved"), path("pages")).unwrap();
        assert!(!code.differs(Trigger::Hangup));
        assert!(!code.differs(Trigger::Change));
    }

    #[test]
    fn each_change_of_a_file_makes_another_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut seen = vec![CodeVersion::of(folder.path())];
        let mut check = |is_new: bool| {
            let version = CodeVersion::of(folder.path());
            assert_eq!(!seen.contains(&version), is_new);
            seen.push(version);
        };
        fs::write(path("index.py"), "one").unwrap();
        check(true);
        check(false);
        // The same size, and in the place of the old one, as editors save.
        fs::write(path("new"), "two").unwrap();
        fs::rename(path("new"), path("index.py")).unwrap();
        check(true);
        // The same size and time, in the same file.
        let written = fs::metadata(path("index.py")).unwrap().modified().unwrap();
        fs::write(path("index.py"), "six").unwrap();
        File::options().write(true).open(path("index.py")).unwrap().set_modified(written).unwrap();
        check(true);
        fs::create_dir(path("vendor")).unwrap();
        check(true);
        fs::write(path("vendor/package.py"), "").unwrap();
        check(true);
        // Behind links: a file, a folder, and one that has come to lead elsewhere.
        let behind = tempfile::tempdir().unwrap();
        let at = |name: &str| behind.path().join(name);
        fs::create_dir(at("shared")).unwrap();
        symlink(at("util.py"), path("util.py")).unwrap();
        symlink(at("shared"), path("shared")).unwrap();
        check(true);
        fs::write(at("util.py"), "").unwrap();
        check(true);
        fs::write(at("shared/package.py"), "").unwrap();
        check(true);
        fs::rename(at("shared"), at("last")).unwrap();
        check(true);
        for folder in ["__pycache__", ".git"] {
            fs::create_dir(path(folder)).unwrap();
            fs::write(path(folder).join("file"), "").unwrap();
        }
        check(false);
        fs::remove_dir_all(folder.path()).unwrap();
        check(true);
    }
}
