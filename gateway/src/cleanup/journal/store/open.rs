//! Opens the journal's file.

use std::{
    fs::{DirBuilder, create_dir_all},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, ErrorCode};

use super::{
    super::error::JournalOpenError,
    Store,
    schema::{VERSION, make_tables},
};
use crate::settings::{JournalSettings, JournalSync};

const FILE: &str = "cleanups.sqlite";

impl Store {
    pub(in crate::cleanup::journal) fn open(
        settings: &JournalSettings,
    ) -> Result<Self, JournalOpenError> {
        let dir = &settings.dir;
        let file = dir.join(FILE);
        let unusable = |error| unusable(&file, error);
        let connection = match settings.sync {
            JournalSync::Off => Connection::open_in_memory(),
            JournalSync::Process | JournalSync::Power => {
                make_folder(dir)?;
                Connection::open(&file)
            }
        };
        let connection = connection.map_err(unusable)?;
        let version = set_up(&connection, settings.sync).map_err(unusable)?;
        if version > VERSION {
            return Err(JournalOpenError::TooNew(file));
        }
        make_tables(&connection, version).map_err(unusable)?;
        let text = "select coalesce(max(key), 0) from owed";
        let last_key = connection.query_row(text, [], |row| row.get(0)).map_err(unusable)?;
        let opened_at = SystemTime::now();
        Ok(Self { connection, last_key, opened_at, has_taken_stock: false })
    }
}

fn make_folder(dir: &Path) -> Result<(), JournalOpenError> {
    let failed = |error| JournalOpenError::Folder(dir.to_owned(), error);
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        create_dir_all(parent).map_err(failed)?;
    }
    // The file holds connection ids. Whoever knows one and reaches the internal listener can push.
    DirBuilder::new().mode(0o700).create(dir).map_err(failed)
}

fn unusable(file: &Path, error: rusqlite::Error) -> JournalOpenError {
    let file: PathBuf = file.to_owned();
    let Some(code) = error.sqlite_error_code() else {
        return JournalOpenError::Unusable(file, error);
    };
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => JournalOpenError::InUse(file),
        ErrorCode::DiskFull | ErrorCode::SystemIoFailure => JournalOpenError::Disk(file, error),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
            JournalOpenError::NotAllowed(file, error)
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            JournalOpenError::Damaged(file, error)
        }
        _ => JournalOpenError::Unusable(file, error),
    }
}

/// The version of the tables in the file; 0 when there are none.
fn set_up(connection: &Connection, sync: JournalSync) -> rusqlite::Result<i64> {
    let synchronous = match sync {
        JournalSync::Off | JournalSync::Process => "normal",
        JournalSync::Power => "full",
    };
    connection.busy_timeout(Duration::ZERO)?;
    connection.execute_batch(&format!(
        "pragma locking_mode = exclusive;
         pragma journal_mode = wal;
         pragma synchronous = {synchronous};
         begin exclusive; commit;"
    ))?;
    connection.query_row("pragma user_version", [], |row| row.get(0))
}
