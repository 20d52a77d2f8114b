//! Why the journal could not be opened or used.

use std::{io, path::PathBuf};

/// The journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalOpenError {
    /// The folder is not there and could not be made.
    #[error("could not make the folder {}: set journal.dir to one that can be written", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// Another process has it.
    #[error("{} is in use by another gateway: give each a journal.dir of its own", .0.display())]
    InUse(PathBuf),
    /// A later version has written it.
    #[error("{} was written by a later version: use that, or move the file away", .0.display())]
    TooNew(PathBuf),
    /// The disk does not take it.
    #[error("could not read or write the journal {}: free space there, and see to the disk", .0.display())]
    Disk(PathBuf, #[source] rusqlite::Error),
    /// The user of this process may not have it.
    #[error("the user of this process cannot write the journal {}: give it the file", .0.display())]
    NotAllowed(PathBuf, #[source] rusqlite::Error),
    /// It is no journal, or one that has been damaged.
    #[error(
        "the journal {} is damaged: move it away, and what it says is owed will not be cleaned up",
        .0.display()
    )]
    Damaged(PathBuf, #[source] rusqlite::Error),
    /// Whatever else went wrong.
    #[error("could not open the journal {}", .0.display())]
    Unusable(PathBuf, #[source] rusqlite::Error),
    /// No thread could be started for it.
    #[error("could not start the thread of the journal")]
    Thread(#[source] io::Error),
}

/// The journal could not take or give something. The cause is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal cannot be used at present")]
pub(crate) struct JournalFailed;
