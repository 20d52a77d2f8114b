//! What helps when the journal cannot be used, told from the error of the system.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use daemon::access::{may_write, user};

/// A file or folder of the journal that this process may not write, and why.
#[derive(Debug)]
pub(super) struct Obstacle {
    pub(super) path: PathBuf,
    pub(super) error: io::Error,
}

impl Obstacle {
    /// The first one of a journal with these files, which are in one folder. The folder is one too:
    /// files come and go there.
    pub(super) fn find(files: &[&Path]) -> Option<Self> {
        let folder = files.first()?.parent()?;
        [folder].iter().chain(files).find_map(|path| Self::at(path))
    }

    fn at(path: &Path) -> Option<Self> {
        let error = may_write(path).err()?;
        let is_there = error.kind() != io::ErrorKind::NotFound;
        is_there.then(|| Self { path: path.to_owned(), error })
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, error } = self;
        write!(f, "{}: {error}: {}", path.display(), advice(path, error))
    }
}

/// What helps after `error` at `path`, which is the folder of the journal or a file in it.
pub(super) fn advice(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "the user {} of this process lacks the permission; make this user the owner of the \
             folder of the journal and of all files in it, or set journal.dir to a folder that \
             this user can write",
            user()
        ),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is mounted read-only; mount it \
             writable, or set journal.dir to a folder that can be written"
            .to_owned(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "free space there, or raise the quota".to_owned()
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            format!(
                "a part of {} is a file and no folder; set journal.dir to a folder",
                path.display()
            )
        }
        _ if is_too_many_files(error) => "raise the limit of open files (ulimit -n)".to_owned(),
        _ => "free space there, or repair the disk".to_owned(),
    }
}

/// EMFILE and ENFILE, which have no kind.
fn is_too_many_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}
