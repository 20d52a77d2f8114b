//! The tables of the journal, and how those of earlier versions become them.
//!
//! Columns and tables are only added. An added column has a default, which the version before
//! leaves in it. So that version can open the file and deliver what is in it, and the number of the
//! version stays the same.

use rusqlite::Connection;

/// The tables of version 2. Times are in milliseconds since 1970. A debt whose connection has not
/// ended has no `ended_at`. A debt is not due before its `not_before`, if it has one.
const VERSION_2: &str = "
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
/// Version 1 did not know when the last call of a connection would have ended.
const FROM_VERSION_1: &str = "
    alter table owed add column not_before integer;
    pragma user_version = 2;
";
/// `run_ms`: how long a call of the connection may run. `failures`: attempts of this process that
/// failed. `give_up_at`: when this process gives the cleanup up. `dialect` and `info`: what the
/// cleanup's event is made of, as its dialect wrote it down. `extra`: JSON, for versions to come.
///
/// `dead_letters` gets no columns: the version before inserts rows without their names. What is
/// added for a dead letter is in a table beside it.
const ADDED: &str = "
    alter table owed add column run_ms integer;
    alter table owed add column failures integer not null default 0;
    alter table owed add column give_up_at integer;
    alter table owed add column dialect text;
    alter table owed add column info blob;
    alter table owed add column extra text;
    drop index if exists backlog;
    create index due on owed (api, coalesce(not_before, 0), key) where backlog;
    create table dead_letter_events (
        id blob primary key,
        dialect text,
        info blob,
        extra text
    ) without rowid;
";

/// The version of the files that this program writes.
pub(super) const VERSION: i64 = 2;

/// Makes the tables of a file whose version is `version`: 0 if it has none. Belongs into a
/// transaction.
pub(super) fn make_tables(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    let first = match version {
        0 => VERSION_2,
        1 => FROM_VERSION_1,
        _ => "",
    };
    let added = if has_added(connection)? { "" } else { ADDED };
    connection.execute_batch(&format!("{first} {added}"))
}

/// Whether the tables are those of this program.
pub(super) fn is_current(connection: &Connection, version: i64) -> rusqlite::Result<bool> {
    Ok(version == VERSION && has_added(connection)?)
}

pub(super) fn has_added(connection: &Connection) -> rusqlite::Result<bool> {
    let text = "select count(*) > 0 from pragma_table_info('owed') where name = 'extra'";
    connection.query_row(text, [], |row| row.get(0))
}
