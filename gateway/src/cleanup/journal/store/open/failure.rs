//! Why a journal could not be opened, told from the error of the disk or of `SQLite`.

use std::{error::Error, fs::OpenOptions, io};

use rusqlite::ErrorCode;

use super::Opening;
use crate::cleanup::journal::{
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
        let file = self.files.main.clone();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                JournalOpenError::NotAllowed(file, error)
            }
            _ => JournalOpenError::Disk(file, error),
        }
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
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
                JournalOpenError::Disk(file, io::Error::other(error))
            }
            // The head of the file may say that it is read-only.
            Some(ErrorCode::ReadOnly) if OpenOptions::new().write(true).open(&file).is_ok() => {
                damaged(&error)
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                JournalOpenError::NotAllowed(file, io::Error::other(error))
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(&error),
            _ if found.mark().is_some() => damaged(&error),
            _ => JournalOpenError::Unusable(file, error),
        }
    }
}
