//! Where whole contents are kept: in folders, or in a bucket of another object store.

mod bucket;
mod folder;

use std::{fmt::Debug, fs::File, io, path::Path};

pub(super) use self::{
    bucket::Bucket,
    folder::{Folder, sync_folder},
};
use super::file_name::FileName;

/// Keeps whole contents, each under a name, in which it never changes. Each verb may block; none is
/// called on a thread that serves requests but [`Place::remove`].
pub(super) trait Place: Debug + Send + Sync {
    /// Keeps what was written to `file`, which is at `draft`. Nothing is left at `draft` then.
    fn put(&self, name: &FileName, draft: &Path, file: &File) -> io::Result<()>;

    /// Keeps the content of `from` as `to` too. `draft` is a path for use meanwhile.
    fn copy(&self, from: &FileName, to: &FileName, draft: &Path) -> io::Result<()>;

    /// Fills `bytes` with what stands from `offset` on.
    fn read(&self, name: &FileName, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Removes contents that nothing names. Does not block for long, and may go on afterwards. What
    /// is not removed then is removed at the next start.
    fn remove(&self, names: Vec<FileName>);

    /// All names that are kept, in groups that begin with the same two digits.
    fn groups(&self) -> io::Result<Groups<'_>>;

    /// How many bytes are read at once.
    fn piece_bytes(&self) -> u64;
}

/// The first two digits of names, and the names.
pub(super) type Groups<'a> = Box<dyn Iterator<Item = io::Result<(String, Vec<String>)>> + 'a>;
