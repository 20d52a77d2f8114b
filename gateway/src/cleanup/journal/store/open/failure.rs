//! Why a journal could not be opened, told from the error of the disk or of `SQLite`.

use std::{error::Error, io};

use rusqlite::ErrorCode;

use super::Opening;
use crate::cleanup::journal::{
    advice::Obstacle,
    error::{Damage, JournalOpenError, Loss},
    marker::Found,
};

/// The file could not be made one of this process.
#[derive(Debug)]
pub(super) enum PrepareError {
    Io(io::Error),
    Sql(rusqlite::Error),
}

impl From<io::Error> for PrepareError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rusqlite::Error> for PrepareError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Opening<'_> {
    pub(super) fn damaged(&self, damage: Damage, loss: Loss) -> JournalOpenError {
        JournalOpenError::Damaged { file: self.files.main.clone(), damage, loss }
    }

    pub(super) fn io(&self, error: io::Error) -> JournalOpenError {
        self.obstacle().unwrap_or_else(|| JournalOpenError::Disk(self.files.main.clone(), error))
    }

    /// The error of a file or folder that this process may not write. `SQLite` does not name it.
    fn obstacle(&self) -> Option<JournalOpenError> {
        let Obstacle { path, error } = Obstacle::find(&self.files.all())?;
        Some(JournalOpenError::Disk(path, error))
    }

    /// `found` says whether the file is a journal that has been begun.
    pub(super) fn failed(&self, error: rusqlite::Error, found: &Found) -> JournalOpenError {
        let file = self.files.main.clone();
        let damaged = |error: &dyn Error| {
            self.damaged(Damage::Content(error.to_string()), found.loss_of_all())
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                JournalOpenError::InUse(file)
            }
            Some(ErrorCode::DiskFull) => {
                JournalOpenError::Disk(file, io::Error::new(io::ErrorKind::StorageFull, error))
            }
            Some(
                ErrorCode::SystemIoFailure | ErrorCode::PermissionDenied | ErrorCode::CannotOpen,
            ) => self.io(io::Error::other(error)),
            // If it may be written, the head of the file says that it is read-only.
            Some(ErrorCode::ReadOnly) => self.obstacle().unwrap_or_else(|| damaged(&error)),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(&error),
            _ if found.mark().is_some() => damaged(&error),
            _ => JournalOpenError::Unusable(file, error),
        }
    }
}
