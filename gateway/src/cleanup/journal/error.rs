//! Why the journal could not be opened or used.

use std::{
    fmt::{self, Display},
    io,
    path::PathBuf,
};

use super::advice::advice;

/// The journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalOpenError {
    /// The folder is not there and could not be made.
    #[error("could not make the folder {}: {}", .0.display(), advice(.0, .1))]
    Folder(PathBuf, #[source] io::Error),
    /// Another process has the file open.
    #[error("{} is in use by another gateway: give each a journal.dir of its own", .0.display())]
    InUse(PathBuf),
    /// A later version of the gateway has written the file.
    #[error("{} was written by a later version: use that, or move the file away", .0.display())]
    TooNew(PathBuf),
    /// A file of the journal, or its folder, cannot be read or written.
    #[error("could not read or write the journal {}: {}", .0.display(), advice(.0, .1))]
    Disk(PathBuf, #[source] io::Error),
    /// The files are not those that the journal has written.
    #[error(
        "the journal {} is damaged: {damage}; {loss}. Put back a copy of its folder, or run \
         `gateway journal accept-loss`: it keeps the damaged files beside, and the gateway starts \
         with what can be read",
        .file.display()
    )]
    Damaged {
        /// The file with the debts.
        file: PathBuf,
        /// What is wrong.
        damage: Damage,
        /// What may be missing.
        loss: Loss,
    },
    /// Anything else.
    #[error("could not open the journal {}", .0.display())]
    Unusable(PathBuf, #[source] rusqlite::Error),
    /// The thread of the journal could not be started.
    #[error("could not start the thread of the journal")]
    Thread(#[source] io::Error),
}

/// What is wrong with the files of a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file with the debts is missing or empty, while others are there.
    #[error("the file is missing or empty, but the files beside it are not")]
    FileGone,
    /// The marker is missing.
    #[error("cleanups.marker is missing, which says how much the journal has")]
    MarkerGone,
    /// The marker is not as it was written.
    #[error("cleanups.marker is damaged, which says how much the journal has")]
    Marker,
    /// File and marker are of two journals.
    #[error("cleanups.marker belongs to another journal")]
    OtherMarker,
    /// `SQLite` cannot read the file, or finds it wrong.
    #[error("its content is wrong ({0})")]
    Content(String),
    /// The checksums of debts or dead letters are wrong.
    #[error("{0} of its entries are missing or not as they were written")]
    Entries(u64),
    /// The last transactions are missing.
    #[error("the end of cleanups.sqlite-wal is missing or damaged")]
    EndGone,
}

/// How many owed cleanups a damaged journal may have lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The marker does not say how many there were.
    Unknown,
    /// No more than `missing` of `owed`.
    AtMost {
        /// Owed cleanups that may be missing.
        missing: u64,
        /// Owed cleanups before.
        owed: u64,
    },
}

impl Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("how many owed cleanups are missing is not known"),
            Self::AtMost { missing, owed } => {
                write!(f, "up to {missing} of {owed} owed cleanups are missing")
            }
        }
    }
}

/// The journal could not be written or read. The cause is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal cannot be used at present")]
pub(crate) struct JournalFailed;

/// Why a write or a read has failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// Another process has removed, moved or replaced a file. What is written is not found by the
    /// next start.
    #[error("{} was removed, moved or replaced by another process: put it back", .0.display())]
    Gone(PathBuf),
    /// Nothing was written, because the marker could not be written before.
    #[error("could not write {}: {error}", .path.display())]
    Marker { path: PathBuf, error: io::Error },
    /// Everything was written but the marker.
    #[error("could not write {}: {error}", .path.display())]
    Unmarked { path: PathBuf, error: io::Error },
}
