//! The code of a function, and whether it is still what the instances were started from.
//!
//! A look at all files, and at what links lead to, is for a reload only: it compares their names,
//! sizes, times and inodes. Between two looks the watched folder counts its changes. The content of
//! files is never read.

use std::{
    fs::Metadata,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use daemon::reload::{changes_in, walk};

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
}

impl Code {
    /// The code that is in `folder` now, which is watched by the name `watched`.
    pub(super) fn new(folder: &Path, watched: &Path) -> Self {
        // Before the look at the files: a change during the look counts.
        let settled = changes_in(watched).into();
        let version = CodeVersion::of(folder);
        Self { folder: folder.to_owned(), watched: watched.to_owned(), version, settled }
    }

    /// Whether the folder may have other code by now. Looks at no file.
    pub(super) fn may_differ(&self) -> bool {
        changes_in(&self.watched) != self.settled.load(Ordering::Relaxed)
    }

    /// Whether the folder has other code by now. Looks at all files.
    pub(super) fn differs(&self) -> bool {
        // A change during the look is one for the next look.
        let changes = changes_in(&self.watched);
        let differs = CodeVersion::of(&self.folder) != self.version;
        self.settled.store(if differs { DIFFERS } else { changes }, Ordering::Relaxed);
        differs
    }
}

/// A hash of what the files look like from outside: other code has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CodeVersion(u64);

impl CodeVersion {
    /// The version of what is in `folder` now. Takes some system calls for each file.
    fn of(folder: &Path) -> Self {
        let mut hasher = DefaultHasher::new();
        // A file that cannot be looked at counts too: it could be before, or will be later.
        walk(folder, |path, metadata| (path, metadata.map(parts)).hash(&mut hasher));
        Self(hasher.finish())
    }
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
        assert!(code.differs());
        assert!(code.may_differ());
        fs::rename(path("moved"), path("vendor")).unwrap();
        assert!(code.may_differ());
        assert!(!code.differs());
        assert!(!code.may_differ());
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
