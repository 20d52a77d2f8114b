//! Why the journal could not be opened or used.

use std::{io, path::PathBuf};

/// The journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalOpenError {
    /// The folder is not there and could not be made.
    #[error("could not make the folder {}: set journal.dir to one that can be written", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// Another process has the file open.
    #[error("{} is in use by another gateway: give each a journal.dir of its own", .0.display())]
    InUse(PathBuf),
    /// A later version of the gateway has written the file.
    #[error("{} was written by a later version: use that, or move the file away", .0.display())]
    TooNew(PathBuf),
    /// The disk is full or fails.
    #[error("could not read or write the journal {}: free space there, or repair the disk", .0.display())]
    Disk(PathBuf, #[source] rusqlite::Error),
    /// The user of this process may not write the file.
    #[error("the user of this process cannot write the journal {}: make it the owner", .0.display())]
    NotAllowed(PathBuf, #[source] rusqlite::Error),
    /// The file is no journal, or is damaged.
    #[error(
        "the journal {} is damaged: move it away; the cleanups owed in it will not be called",
        .0.display()
    )]
    Damaged(PathBuf, #[source] rusqlite::Error),
    /// Anything else.
    #[error("could not open the journal {}", .0.display())]
    Unusable(PathBuf, #[source] rusqlite::Error),
    /// The thread of the journal could not be started.
    #[error("could not start the thread of the journal")]
    Thread(#[source] io::Error),
}

/// The journal could not be written or read. The cause is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal cannot be used at present")]
pub(crate) struct JournalFailed;
