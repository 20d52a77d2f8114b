//! The tables of the catalog.

use rusqlite::Connection;
use uuid::Uuid;

/// The version of the tables.
pub(super) const VERSION: i64 = 2;

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

/// Since version 2. The one row has the id of the catalog, by which a bucket knows it.
const IDENTITY: &str = "create table identity (id text not null) strict";

/// Makes the tables that `version` does not have. 0 has none.
pub(super) fn make_tables(connection: &mut Connection, version: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    if version < 1 {
        transaction.execute_batch(TABLES)?;
    }
    transaction.execute(IDENTITY, [])?;
    let id = Uuid::new_v4().simple().to_string();
    transaction.execute("insert into identity (id) values (?1)", [id])?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
