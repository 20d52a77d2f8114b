//! The catalog: which buckets, objects and unfinished uploads there are, and which files each
//! content consists of.
//!
//! WAL mode of `SQLite`: a committed transaction survives the process at any instant, and with
//! `synchronous = FULL` the machine too (<https://www.sqlite.org/wal.html>). The exclusive lock
//! keeps a second process out.

mod columns;
mod identity;
mod objects;
mod pages;
mod schema;
mod uploads;

use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use self::columns::{time, to_millis};
pub(super) use self::identity::Identity;
use super::{BucketEntry, file_name::FileName};
use crate::{
    refusal::{Code, Refusal},
    settings::StoreSync,
};

/// The open catalog.
#[derive(Debug)]
pub(super) struct Catalog(Connection);

impl Catalog {
    /// Opens the file for this process alone, and makes the tables if there are none. `None` if a
    /// newer version of this program has made them.
    pub(super) fn open(file: &Path, sync: StoreSync) -> rusqlite::Result<Option<Self>> {
        let mut connection = Connection::open(file)?;
        let synchronous = match sync {
            StoreSync::Process => "normal",
            StoreSync::Power => "full",
        };
        connection.busy_timeout(Duration::ZERO)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(&format!(
            "pragma locking_mode = exclusive;
             pragma journal_mode = wal;
             pragma synchronous = {synchronous};
             begin exclusive; commit;"
        ))?;
        let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
        if version > schema::VERSION {
            return Ok(None);
        }
        if version < schema::VERSION {
            schema::make_tables(&mut connection, version)?;
        }
        Ok(Some(Self(connection)))
    }

    /// The names that begin with `first`, two digits, of the files that contents consist of.
    pub(super) fn files_in(&self, first: &str) -> rusqlite::Result<HashSet<String>> {
        let text = "select file from segments where file >= ?1 and file < ?1 || 'g'
                    union all select file from parts where file >= ?1 and file < ?1 || 'g'";
        let mut statement = self.0.prepare_cached(text)?;
        statement.query_map([first], |row| row.get(0))?.collect()
    }

    pub(super) fn buckets(&self) -> Result<Vec<BucketEntry>, Refusal> {
        let text = "select name, made_at from buckets order by name";
        let mut statement = self.0.prepare_cached(text)?;
        let entry =
            |row: &rusqlite::Row<'_>| Ok(BucketEntry { name: row.get(0)?, made_at: time(row, 1)? });
        Ok(statement.query_map([], entry)?.collect::<Result<_, _>>()?)
    }

    pub(super) fn bucket_id(&self, name: &str) -> Result<i64, Refusal> {
        bucket_id(&self.0, name)
    }

    pub(super) fn make_bucket(&mut self, name: &str, now: SystemTime) -> Result<(), Refusal> {
        let text = "insert or ignore into buckets (name, made_at) values (?1, ?2)";
        if self.0.execute(text, params![name, to_millis(now)])? == 0 {
            let message = "The bucket is there already, and is yours.";
            return Err(Refusal::new(Code::BucketAlreadyOwnedByYou, message));
        }
        Ok(())
    }

    pub(super) fn remove_bucket(&mut self, name: &str) -> Result<(), Refusal> {
        let transaction = self.0.transaction()?;
        let id = bucket_id(&transaction, name)?;
        let text = "select exists (select 1 from objects where bucket = ?1)
                        or exists (select 1 from uploads where bucket = ?1)";
        if transaction.query_row(text, [id], |row| row.get(0))? {
            let message =
                "The bucket has objects or unfinished uploads; delete and abort them first.";
            return Err(Refusal::new(Code::BucketNotEmpty, message));
        }
        transaction.execute("delete from buckets where id = ?1", [id])?;
        Ok(transaction.commit()?)
    }
}

fn bucket_id(connection: &Connection, name: &str) -> Result<i64, Refusal> {
    let mut statement = connection.prepare_cached("select id from buckets where name = ?1")?;
    let id = statement.query_row([name], |row| row.get(0)).optional()?;
    id.ok_or_else(Refusal::no_such_bucket)
}

/// Takes the files of an object out, and returns their names.
fn take_segments(transaction: &Transaction<'_>, object: i64) -> rusqlite::Result<Vec<FileName>> {
    let text = "delete from segments where object = ?1 returning file";
    let mut statement = transaction.prepare_cached(text)?;
    let names = statement.query_map([object], |row| row.get(0).map(FileName::of))?;
    names.collect()
}
