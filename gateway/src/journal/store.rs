//! The journal's file: its tables, and each thing that is done to them.
//!
//! WAL mode of `SQLite`: a committed transaction survives the process at any instant, and with
//! `synchronous = FULL` the machine too (<https://www.sqlite.org/wal.html>). The exclusive lock
//! keeps a second gateway out.

use std::{
    borrow::Borrow,
    fs::{DirBuilder, create_dir_all},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, named_params, params};
use shared::connection_id::ConnectionId;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{
    JournalOpenError,
    record::{Change, Counts, DeadLetter, Debt, Key, Progress, Record},
};
use crate::{
    calls::FUNCTION_TIMEOUT_MAX,
    end::End,
    settings::{JournalSettings, JournalSync},
};

/// Times are in milliseconds since 1970. A debt whose connection has not ended has no `ended_at`;
/// one whose last call may still run has a `not_before`.
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

/// The open file.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    last_key: i64,
    /// Whether what earlier lives left has been put into the backlog. Not at the start: a gateway
    /// whose disk is full can start, and delivers when there is room.
    has_taken_stock: bool,
}

impl Store {
    pub(super) fn open(settings: &JournalSettings) -> Result<Self, JournalOpenError> {
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

    /// Puts all that earlier lives left into the backlog: nothing in this one stands for it.
    fn take_stock(&mut self) -> rusqlite::Result<()> {
        if !self.has_taken_stock {
            let text = "update owed set backlog = 1 where not backlog and key <= ?1";
            self.connection.execute(text, [self.last_key])?;
            self.has_taken_stock = true;
        }
        Ok(())
    }

    /// The largest key that is in it.
    pub(super) fn last_key(&self) -> i64 {
        self.last_key
    }

    /// Writes all of it, or nothing.
    pub(super) fn apply(
        &mut self,
        debts: impl Iterator<Item: Borrow<Debt>>,
        changes: impl Iterator<Item: Borrow<Change>>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for debt in debts {
            let Debt { key, id, api } = debt.borrow();
            transaction
                .prepare_cached("insert into owed (key, id, api) values (?1, ?2, ?3)")?
                .execute(params![key.0, id.as_bytes(), &**api])?;
        }
        for change in changes {
            make(&transaction, change.borrow())?;
        }
        transaction.commit()
    }

    pub(super) fn take_backlog(
        &mut self,
        api: &str,
        limit: usize,
    ) -> rusqlite::Result<Vec<Record>> {
        self.take_stock()?;
        let transaction = self.connection.transaction()?;
        let records: Vec<Record> = transaction
            .prepare_cached(
                "select key, id, close_code, close_reason, ended_at, attempts, not_before from owed
                 where backlog and api = ?1 order by key limit ?2",
            )?
            .query_map(params![api, limit_of(limit)], record)?
            .collect::<rusqlite::Result<_>>()?;
        {
            let mut taken =
                transaction.prepare_cached("update owed set backlog = 0 where key = ?1")?;
            for record in &records {
                taken.execute([record.key.0])?;
            }
        }
        transaction.commit()?;
        Ok(records)
    }

    /// Puts back what was taken out.
    pub(super) fn give_back(&mut self, records: &[Record]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for Record { key, .. } in records {
            transaction
                .prepare_cached("update owed set backlog = 1 where key = ?1")?
                .execute([key.0])?;
        }
        transaction.commit()
    }

    pub(super) fn backlog(&mut self) -> rusqlite::Result<Vec<(String, u64)>> {
        self.take_stock()?;
        let text = "select api, count(*) from owed where backlog group by api order by api";
        let mut statement = self.connection.prepare_cached(text)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, unsigned(row, 1)?)))?;
        rows.collect()
    }

    pub(super) fn dead_letters(
        &mut self,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> rusqlite::Result<Vec<DeadLetter>> {
        let after = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
        self.connection
            .prepare_cached("select * from dead_letters where id > ?1 order by id limit ?2")?
            .query_map(params![after, limit_of(limit)], dead_letter)?
            .collect()
    }

    pub(super) fn dead_letter(&mut self, id: ConnectionId) -> rusqlite::Result<Option<DeadLetter>> {
        self.connection
            .prepare_cached("select * from dead_letters where id = ?1")?
            .query_row([id.as_bytes()], dead_letter)
            .optional()
    }

    /// Whether there was one.
    pub(super) fn erase_dead_letter(&mut self, id: ConnectionId) -> rusqlite::Result<bool> {
        let text = "delete from dead_letters where id = ?1";
        self.connection.prepare_cached(text)?.execute([id.as_bytes()]).map(|rows| rows > 0)
    }

    /// Makes dead letters of what waits for APIs other than `served` and is older than `max_age`.
    /// How many. Those whose connections nobody has seen end begin to age.
    pub(super) fn bury_unserved(
        &mut self,
        served: &[String],
        max_age: Duration,
    ) -> rusqlite::Result<usize> {
        self.take_stock()?;
        let now = SystemTime::now();
        let served = served.iter().map(|id| format!("'{}'", id.replace('\'', "''")));
        let unserved = format!("backlog and api not in ({})", served.collect::<Vec<_>>().join(","));
        let transaction = self.connection.transaction()?;
        // Should the API come back soon, its calls may still run.
        transaction.execute(
            &format!(
                "update owed set close_reason = ?1, ended_at = ?2, not_before = ?3
                 where ended_at is null and {unserved}"
            ),
            params![
                End::CRASH.reason.as_str(),
                to_millis(now),
                to_millis(now + FUNCTION_TIMEOUT_MAX)
            ],
        )?;
        let old = to_millis(now.checked_sub(max_age).unwrap_or(UNIX_EPOCH));
        transaction.execute(
            &format!(
                "insert or replace into dead_letters select id, api, close_code, close_reason,
                 ended_at, attempts, 'its api has no cleanup function', ?1 from owed
                 where ended_at < ?2 and {unserved}"
            ),
            params![to_millis(now), old],
        )?;
        let text = format!("delete from owed where ended_at < ?1 and {unserved}");
        let buried = transaction.execute(&text, [old])?;
        transaction.commit()?;
        Ok(buried)
    }

    pub(super) fn counts(&mut self) -> rusqlite::Result<Counts> {
        self.take_stock()?;
        let count = |text: &str| -> rusqlite::Result<u64> {
            self.connection.prepare_cached(text)?.query_row([], |row| unsigned(row, 0))
        };
        Ok(Counts {
            owed: count("select count(*) from owed")?,
            backlog: count("select count(*) from owed where backlog")?,
            dead_letters: count("select count(*) from dead_letters")?,
        })
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
    // Who knows an id can push to its connection, where the internal listener can be reached.
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

/// The version of what is there; 0 when nothing is.
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

fn make(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Settle(key) => {
            connection.prepare_cached("delete from owed where key = ?1")?.execute([key.0])
        }
        Change::Progress { key, progress, to_backlog } => connection
            .prepare_cached(
                "update owed set close_code = :code, close_reason = :reason,
                 ended_at = :ended_at, attempts = :attempts, not_before = :not_before,
                 backlog = :backlog where key = :key",
            )?
            .execute(named_params! {
                ":key": key.0,
                ":code": progress.end.code.map(u16::from),
                ":reason": progress.end.reason.as_str(),
                ":ended_at": to_millis(progress.ended_at),
                ":attempts": progress.attempts,
                ":not_before": progress.not_before.map(to_millis),
                ":backlog": to_backlog,
            }),
        Change::Bury { key, progress, error } => {
            connection
                .prepare_cached(
                    "insert or replace into dead_letters select id, api, :code, :reason,
                     :ended_at, :attempts, :error, :given_up_at from owed where key = :key",
                )?
                .execute(named_params! {
                    ":key": key.0,
                    ":code": progress.end.code.map(u16::from),
                    ":reason": progress.end.reason.as_str(),
                    ":ended_at": to_millis(progress.ended_at),
                    ":attempts": progress.attempts,
                    ":error": error,
                    ":given_up_at": to_millis(SystemTime::now()),
                })?;
            make(connection, &Change::Settle(*key))?;
            Ok(1)
        }
        Change::Retried { id, attempts, error } => connection
            .prepare_cached("update dead_letters set attempts = ?2, error = ?3 where id = ?1")?
            .execute(params![id.as_bytes(), attempts, error]),
    }
    .map(drop)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let has_ended = row.get::<_, Option<i64>>("ended_at")?.is_some();
    let progress = if has_ended {
        let not_before: Option<i64> = row.get("not_before")?;
        Some(Progress { not_before: not_before.map(from_millis), ..progress(row)? })
    } else {
        None
    };
    Ok(Record { key: Key(row.get("key")?), id: id(row)?, progress })
}

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: id(row)?,
        api: row.get("api")?,
        progress: progress(row)?,
        error: row.get("error")?,
        given_up_at: from_millis(row.get("given_up_at")?),
    })
}

fn id(row: &Row<'_>) -> rusqlite::Result<ConnectionId> {
    row.get("id").map(ConnectionId::from_bytes)
}

fn progress(row: &Row<'_>) -> rusqlite::Result<Progress> {
    let code: Option<u16> = row.get("close_code")?;
    let reason: String = row.get("close_reason")?;
    let end = match reason.parse() {
        Ok(reason) => End { code: code.map(CloseCode::from), reason },
        // A word of a version that knew more.
        Err(_) => End::CRASH,
    };
    let ended_at = from_millis(row.get("ended_at")?);
    Ok(Progress { end, ended_at, attempts: row.get("attempts")?, not_before: None })
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(|value: i64| u64::try_from(value).unwrap_or(0))
}

fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn to_millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn from_millis(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
