//! The tables of the catalog.

use rusqlite::Connection;
use uuid::Uuid;

/// The version of the tables.
pub(super) const VERSION: i64 = 3;

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

/// Since version 3: where the contents are; the epoch that the bucket had, and the one that it was
/// then given; and the contents in the bucket that this catalog never named.
const PLACE: &str = "
    alter table identity add column place text;
    alter table identity add column epoch text not null default '';
    alter table identity add column next_epoch text not null default '';
    create table strangers (file text primary key) strict, without rowid;
";

/// Makes the tables that `version` does not have. 0 has none.
pub(super) fn make_tables(connection: &mut Connection, version: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    if version < 1 {
        transaction.execute_batch(TABLES)?;
    }
    if version < 2 {
        transaction.execute(IDENTITY, [])?;
        let id = Uuid::new_v4().simple().to_string();
        transaction.execute("insert into identity (id) values (?1)", [id])?;
    }
    if version < 3 {
        transaction.execute_batch(PLACE)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A catalog as version 1 or 2 of its tables made it, with a bucket and an object.
    fn made_by(version: i64) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        connection
            .execute_batch(
                "insert into buckets values (1, 'chat-1', 5);
                 insert into objects values (1, 1, x'61', 3, 'etag', -7, 6, '[]');
                 insert into segments values (1, 0, '0123', 3);",
            )
            .unwrap();
        if version == 2 {
            connection.execute(IDENTITY, []).unwrap();
            connection.execute("insert into identity (id) values ('the-id')", []).unwrap();
        }
        connection.pragma_update(None, "user_version", version).unwrap();
        connection
    }

    fn tables(connection: &Connection) -> Vec<String> {
        let text = "select sql from sqlite_schema where sql is not null order by name";
        let mut statement = connection.prepare(text).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_catalog_of_an_earlier_version_has_the_tables_of_a_new_one_and_its_rows() {
        let mut new = Connection::open_in_memory().unwrap();
        make_tables(&mut new, 0).unwrap();
        for version in [1, 2] {
            let mut old = made_by(version);
            make_tables(&mut old, version).unwrap();
            assert_eq!(tables(&old), tables(&new), "{version}");
            let text = "select crc, file, length(identity.id), place, epoch, user_version
                        from objects join segments on object = objects.id join identity
                        join pragma_user_version";
            let read = old.query_row(text, [], |row| {
                let numbers: (i64, i64) = (row.get(0)?, row.get(5)?);
                let texts: (String, i64, Option<String>, String) =
                    (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
                Ok((numbers, texts))
            });
            let length = if version == 1 { 32 } else { 6 };
            let texts = ("0123".to_owned(), length, None, String::new());
            assert_eq!(read.unwrap(), ((-7, VERSION), texts), "{version}");
        }
    }
}
