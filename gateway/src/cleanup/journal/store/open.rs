//! Opens the journal's file, and makes its tables.

use std::{
    fs::{DirBuilder, create_dir_all},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode};

use super::{super::error::JournalOpenError, Store};
use crate::settings::{JournalSettings, JournalSync};

/// Times are in milliseconds since 1970. A debt whose connection has not ended has no `ended_at`. A
/// debt whose last call may still run has a `not_before`.
const SCHEMA: &str = "
    create table owed (
        key integer primary key,
        id blob not null,
        api text not null,
        backlog integer not null default 0,
        close_code integer,
        close_reason text,
        ended_at integer,
        attempts integer not null default 0,
        not_before integer
    );
    create index backlog on owed (api, key) where backlog;
    create table dead_letters (
        id blob primary key,
        api text not null,
        close_code integer,
        close_reason text not null,
        ended_at integer not null,
        attempts integer not null,
        error text not null,
        given_up_at integer not null
    ) without rowid;
    pragma user_version = 2;
";
const VERSION: i64 = 2;
/// Version 1 did not know when the last call of a connection would have ended.
const FROM_VERSION_1: &str = "
    alter table owed add column not_before integer;
    pragma user_version = 2;
";
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
        Ok(Self { connection, last_key, has_taken_stock: false })
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

fn make_tables(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    match version {
        0 => connection.execute_batch(&format!("begin; {SCHEMA} commit;")),
        1 => connection.execute_batch(&format!("begin; {FROM_VERSION_1} commit;")),
        _ => Ok(()),
    }
}
