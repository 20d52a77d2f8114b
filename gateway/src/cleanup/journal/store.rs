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

use std::borrow::Borrow;

use rusqlite::{Connection, params};

use self::columns::unsigned;
use super::record::{Change, Counts, Debt};

/// The open file.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    last_key: i64,
    /// Whether the debts of earlier processes have been put into the backlog. This is not done when
    /// the file is opened, so that a gateway whose disk is full can start.
    has_taken_stock: bool,
}

impl Store {
    /// Puts the debts of earlier processes into the backlog, since no task in memory delivers them.
    fn take_stock(&mut self) -> rusqlite::Result<()> {
        if !self.has_taken_stock {
            let text = "update owed set backlog = 1 where not backlog and key <= ?1";
            self.connection.execute(text, [self.last_key])?;
            self.has_taken_stock = true;
        }
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
            let Debt { key, id, api } = debt.borrow();
            transaction
                .prepare_cached("insert into owed (key, id, api) values (?1, ?2, ?3)")?
                .execute(params![key.0, id.as_bytes(), &**api])?;
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
