//! The journal's file: its tables and the statements on them.
//!
//! WAL mode of `SQLite`: a committed transaction survives the process at any instant, and with
//! `synchronous = FULL` the machine too (<https://www.sqlite.org/wal.html>). The exclusive lock
//! keeps a second gateway out.

mod backlog;
mod change;
mod checks;
mod columns;
mod crashed;
mod dead_letters;
mod evidence;
mod files;
mod open;
mod salvage;
mod schema;
mod verify;

use std::{
    borrow::Borrow,
    io,
    path::Path,
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, Transaction, named_params, params};

#[cfg(test)]
pub(super) use self::checks::{add_function, columns};
pub(super) use self::files::{Files, make_folder};
use self::{
    columns::{length, to_millis, unsigned},
    evidence::Evidence,
};
use super::{
    WAIT_MAX,
    advice::Obstacle,
    error::{Loss, StoreError},
    marker::Marker,
    record::{Change, Counts, Debt},
};
use crate::registry::End;

/// The longest time that a call may run of which nothing else is known.
const RUN_MAX: Duration = Duration::from_secs(900);

/// The open file.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    /// None if the journal is kept in memory.
    evidence: Option<Evidence>,
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

    /// Fails if another process has taken the files away. What is written to them still holds for
    /// this process, but not for the next one.
    pub(super) fn check_places(&self) -> Result<(), StoreError> {
        self.evidence.as_ref().map_or(Ok(()), Evidence::check_places)
    }

    /// What this process may not write, if that is why the journal cannot be used.
    pub(super) fn obstacle(&self) -> Option<Obstacle> {
        Obstacle::find(&self.evidence.as_ref()?.paths())
    }

    /// Writes all debts and changes, or none of them. For a trial, a debt is written and erased
    /// too.
    pub(super) fn apply(
        &mut self,
        debts: impl Iterator<Item: Borrow<Debt>>,
        changes: impl Iterator<Item: Borrow<Change>>,
        trial: Option<&Debt>,
    ) -> Result<(), StoreError> {
        if let Some(evidence) = &mut self.evidence {
            evidence.catch_up()?;
        }
        let transaction = self.connection.transaction()?;
        let (mut new, mut erased) = (0, 0);
        for debt in debts {
            insert(&transaction, debt.borrow())?;
            new += 1;
        }
        for change in changes {
            erased += change::make(&transaction, change.borrow())?;
        }
        if let Some(debt) = trial {
            insert(&transaction, debt)?;
            change::make(&transaction, &Change::Settle(debt.key))?;
        }
        commit(transaction, self.evidence.as_mut(), new, erased)
    }

    /// Waits until the disk has what no caller waits for.
    pub(super) fn reach_disk(&mut self) -> Result<(), StoreError> {
        self.evidence.as_mut().map_or(Ok(()), Evidence::reach_disk)
    }

    /// Takes over what can be read of a damaged file. Returns how many debts there are, and how
    /// many may be missing.
    pub(super) fn salvage(
        &mut self,
        damaged: &Path,
        marker: &Path,
    ) -> Result<(u64, Loss), StoreError> {
        let found = Marker::read(marker).map_err(|error| marker_failed(marker, error))?;
        let damaged = Connection::open(damaged)?;
        // A wrong description of one table must not hide the others.
        damaged.execute_batch("pragma locking_mode = exclusive; pragma writable_schema = on;")?;
        let transaction = self.connection.transaction()?;
        let wrong = salvage::copy(&damaged, &transaction)?;
        let count = "select count(*) from owed";
        let read = transaction.query_row(count, [], |row| unsigned(row, 0))?;
        commit(transaction, self.evidence.as_mut(), read, 0)?;
        Ok((read, verify::loss_after(&damaged, &found, read, wrong)))
    }

    /// Closes the file, and notes in the marker that nothing is missing.
    pub(super) fn close(self) -> Result<(), StoreError> {
        let Self { connection, evidence, .. } = self;
        connection.close().map_err(|(_, error)| error)?;
        evidence.map_or(Ok(()), Evidence::close)
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

fn insert(connection: &Connection, debt: &Debt) -> rusqlite::Result<()> {
    let Debt { key, id, api, run, event } = debt;
    let text = "insert into owed (key, id, api, run_ms, dialect, info)
                values (?1, ?2, ?3, ?4, ?5, ?6)";
    let run = run.map(length);
    connection
        .prepare_cached(text)?
        .execute(params![key.0, id.as_bytes(), &**api, run, event.dialect, event.info])
        .map(drop)
}

/// Commits a transaction that has so many new debts and erases so many, and then writes the marker.
fn commit(
    transaction: Transaction<'_>,
    evidence: Option<&mut Evidence>,
    new: u64,
    erased: usize,
) -> Result<(), StoreError> {
    let Some(evidence) = evidence else { return Ok(transaction.commit()?) };
    let mark = evidence.seal(&transaction, new, erased)?;
    transaction.commit()?;
    evidence.write(mark)
}

fn marker_failed(path: &Path, error: io::Error) -> StoreError {
    StoreError::Marker { path: path.to_owned(), error }
}
