//! The journal's file: its tables and the statements on them.
//!
//! WAL mode of `SQLite`: a committed transaction survives the process at any instant, and with
//! `synchronous = FULL` the machine too (<https://www.sqlite.org/wal.html>). The exclusive lock
//! keeps a second gateway out.

mod backlog;
mod change;
mod columns;
mod dead_letters;
mod open;
mod schema;

use std::{
    borrow::Borrow,
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, named_params, params};

use self::columns::{length, to_millis, unsigned};
use super::record::{Change, Counts, Debt};
use crate::registry::End;

/// The longest time that a call may run of which nothing else is known.
const RUN_MAX: Duration = Duration::from_secs(900);
/// No cleanup waits for longer after a start. One that says so was written with another clock.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// The open file.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    last_key: i64,
    opened_at: SystemTime,
    /// Whether the debts of earlier processes have been put into the backlog. This is not done when
    /// the file is opened, so that a gateway whose disk is full can start.
    has_taken_stock: bool,
}

impl Store {
    /// Puts the debts of earlier processes into the backlog, since no task in memory delivers them.
    /// Nobody has seen the connections end that were open then, and their calls may still run.
    fn take_stock(&mut self) -> rusqlite::Result<()> {
        if self.has_taken_stock {
            return Ok(());
        }
        self.connection.execute(
            "update owed set
                 backlog = 1,
                 close_reason = coalesce(close_reason, :crash),
                 not_before = case
                     when ended_at is null then :start + coalesce(run_ms, :run_max)
                     else min(not_before, :start + :wait_max) end,
                 ended_at = coalesce(ended_at, :start),
                 failures = 0,
                 give_up_at = null
             where key <= :last_key",
            named_params! {
                ":crash": End::CRASH.reason.as_str(),
                ":start": to_millis(self.opened_at),
                ":run_max": length(RUN_MAX),
                ":wait_max": length(WAIT_MAX),
                ":last_key": self.last_key,
            },
        )?;
        let text = "delete from dead_letter_events where id not in (select id from dead_letters)";
        self.connection.execute(text, [])?;
        self.has_taken_stock = true;
        Ok(())
    }

    /// The largest key in the file when it was opened.
    pub(super) fn last_key(&self) -> i64 {
        self.last_key
    }

    /// Writes all debts and changes, or none of them.
    pub(super) fn apply(
        &mut self,
        debts: impl Iterator<Item: Borrow<Debt>>,
        changes: impl Iterator<Item: Borrow<Change>>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for debt in debts {
            let Debt { key, id, api, run, event } = debt.borrow();
            transaction
                .prepare_cached(
                    "insert into owed (key, id, api, run_ms, dialect, info)
                     values (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    key.0,
                    id.as_bytes(),
                    &**api,
                    run.map(length),
                    event.dialect,
                    event.info
                ])?;
        }
        for change in changes {
            change::make(&transaction, change.borrow())?;
        }
        transaction.commit()
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
