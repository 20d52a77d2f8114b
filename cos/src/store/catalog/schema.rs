//! The tables of the catalog.

use rusqlite::Connection;

/// The version of the tables.
pub(super) const VERSION: i64 = 1;

/// Keys are bytes, since they are listed in the order of their bytes. Times are milliseconds since
/// 1970. The id of an object is a new one whenever the object is replaced.
const TABLES: &str = "
    create table buckets (
        id integer primary key,
        name text not null unique,
        made_at integer not null
    ) strict;
    create table objects (
        id integer primary key,
        bucket integer not null,
        key blob not null,
        size integer not null,
        etag text not null,
        crc integer not null,
        modified_at integer not null,
        metadata text not null,
        unique (bucket, key)
    ) strict;
    create table segments (
        object integer not null,
        position integer not null,
        file text not null,
        size integer not null,
        primary key (object, position)
    ) strict, without rowid;
    create index segments_by_file on segments (file);
    create table uploads (
        id text primary key,
        bucket integer not null,
        key blob not null,
        begun_at integer not null,
        metadata text not null
    ) strict, without rowid;
    create unique index uploads_by_key on uploads (bucket, key, id);
    create table parts (
        upload text not null,
        number integer not null,
        file text,
        size integer not null,
        etag text not null,
        crc integer not null,
        modified_at integer not null,
        primary key (upload, number)
    ) strict, without rowid;
    create index parts_by_file on parts (file);
";

pub(super) fn make_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
