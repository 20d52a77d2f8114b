//! What the code of a function looks like from outside, to notice when it has changed.
//!
//! Goes by names, sizes, times and inodes. The content is not read.

use std::{
    fs::Metadata,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::Path,
};

use walkdir::{DirEntry, WalkDir};

/// What interpreters and tools leave in a folder of code, and nobody deploys.
const LEFT_OUT: [&str; 2] = ["__pycache__", ".git"];

/// Another one for other code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CodeVersion(u64);

impl CodeVersion {
    /// That of what is in `folder` now. Takes a system call for each file.
    pub(super) fn of(folder: &Path) -> Self {
        let mut hasher = DefaultHasher::new();
        let entries = WalkDir::new(folder).sort_by_file_name().into_iter();
        for entry in entries.filter_entry(is_code) {
            // What cannot be looked at counts too: it could be before, or will be later.
            let found = entry.and_then(|entry| Ok((entry.metadata()?, entry)));
            match found {
                Ok((metadata, entry)) => (entry.path(), parts(&metadata)).hash(&mut hasher),
                Err(error) => error.path().hash(&mut hasher),
            }
        }
        Self(hasher.finish())
    }
}

fn is_code(entry: &DirEntry) -> bool {
    entry.depth() == 0 || LEFT_OUT.iter().all(|name| entry.file_name() != *name)
}

/// A folder has changed when something in it has, which is looked at by itself.
fn parts(metadata: &Metadata) -> Option<[i64; 5]> {
    let size = metadata.size().cast_signed();
    let inode = metadata.ino().cast_signed();
    let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
    (!metadata.is_dir()).then_some([size, inode, seconds, nanoseconds, metadata.mode().into()])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::CodeVersion;

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
        fs::create_dir(path("vendor")).unwrap();
        check(true);
        fs::write(path("vendor/package.py"), "").unwrap();
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
