//! Where whole contents are kept: in folders, or in a bucket of another object store. Each has a
//! name there, under which it never changes.

mod bucket;
mod folder;

use std::{io, sync::Arc};

pub(super) use self::{
    bucket::{Bucket, Found, Owner},
    folder::{Folder, sync_folder},
};
use super::file_name::FileName;

/// Keeps whole contents.
#[derive(Debug)]
pub(super) enum Place {
    /// Its verbs block.
    Folder(Arc<Folder>),
    Bucket(Bucket),
}

/// The first two digits of names, and the names.
pub(super) type Groups<'a> = Box<dyn Iterator<Item = io::Result<(String, Vec<String>)>> + 'a>;

impl Place {
    /// Removes contents that nothing names. Does not block for long, and may go on afterwards. What
    /// is not removed then is removed at the next start.
    pub(super) fn remove(&self, names: &[FileName]) {
        match self {
            Self::Folder(folder) => folder.remove(names),
            Self::Bucket(bucket) => bucket.remove(names),
        }
    }

    /// All names that are kept, in groups that begin with the same two digits. Blocks.
    pub(super) fn groups(&self) -> io::Result<Groups<'_>> {
        match self {
            Self::Folder(folder) => folder.groups(),
            Self::Bucket(bucket) => bucket.groups(),
        }
    }

    /// How many bytes are read at once.
    pub(super) fn piece_bytes(&self) -> u64 {
        match self {
            Self::Folder(_) => folder::PIECE_BYTES,
            Self::Bucket(_) => bucket::PIECE_BYTES,
        }
    }
}
