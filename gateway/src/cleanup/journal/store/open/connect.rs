//! How a connection uses the file.

use std::time::Duration;

use rusqlite::{Connection, config::DbConfig};

use crate::{cleanup::journal::store::checks, settings::JournalSync};

/// Pages in the log before it is copied into the main file, which waits for the disk. A transaction
/// writes about three.
const LOG_PAGES: u32 = 3000;

/// Takes the file for this process alone. Returns the version of the tables in it; 0 when there are
/// none.
pub(super) fn set_up(connection: &Connection, sync: JournalSync) -> rusqlite::Result<i64> {
    let synchronous = match sync {
        JournalSync::Off | JournalSync::Process => "normal",
        JournalSync::Power => "full",
    };
    connection.busy_timeout(Duration::ZERO)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    checks::add_function(connection)?;
    connection.execute_batch(&format!(
        "pragma locking_mode = exclusive;
         pragma journal_mode = wal;
         pragma synchronous = {synchronous};
         pragma wal_autocheckpoint = {LOG_PAGES};
         begin exclusive; commit;"
    ))?;
    connection.query_row("pragma user_version", [], |row| row.get(0))
}
