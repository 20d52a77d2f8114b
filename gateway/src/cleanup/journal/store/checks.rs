//! A checksum for each row, since `SQLite` does not notice a wrong byte within a value.
//!
//! The checksums are in tables of their own, and triggers of the connection write them. A version
//! of the gateway without them may write the file too: triggers in the file erase the checksum of
//! each row that changes. A row without a checksum is taken as it is.

use rusqlite::{
    Connection, OptionalExtension, Row,
    functions::FunctionFlags,
    types::{Value, ValueRef},
};

use super::schema;

/// A table with checksums.
#[derive(Debug, Clone, Copy)]
struct Table {
    name: &'static str,
    key: &'static str,
    /// Whether the version without checksums replaces rows of it, which runs no trigger for the old
    /// row.
    is_replaced: bool,
}

const TABLES: [Table; 3] = [
    Table { name: "owed", key: "key", is_replaced: false },
    Table { name: "dead_letters", key: "id", is_replaced: true },
    Table { name: "dead_letter_events", key: "id", is_replaced: true },
];

/// Makes the tables and triggers in the file that are not there.
pub(super) fn make_tables(connection: &Connection) -> rusqlite::Result<()> {
    for Table { name, key, is_replaced } in TABLES {
        let kind = if key == "key" { ("integer", "") } else { ("blob", "without rowid") };
        connection.execute_batch(&format!(
            "create table if not exists {name}_checks (
                 key {} primary key, value integer not null
             ) {};
             create trigger if not exists {name}_changed before update on {name}
                 begin delete from {name}_checks where key = old.{key}; end;
             create trigger if not exists {name}_erased before delete on {name}
                 begin delete from {name}_checks where key = old.{key}; end;",
            kind.0, kind.1
        ))?;
        if is_replaced {
            connection.execute_batch(&format!(
                "create trigger if not exists {name}_replaced before insert on {name}
                     begin delete from {name}_checks where key = new.{key}; end;"
            ))?;
        }
    }
    Ok(())
}

/// Rows that are not as they were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct WrongRows {
    pub(super) owed: u64,
    pub(super) dead_letters: u64,
}

/// Adds the function `row_check` to the connection.
pub(in crate::cleanup::journal) fn add_function(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("row_check", -1, flags, |row| {
        let mut checksum = crc32fast::Hasher::new();
        for column in 0..row.len() {
            add(&mut checksum, column, row.get_raw(column));
        }
        Ok(i64::from(checksum.finalize()))
    })
}

/// Whether the row has no checksum, or another one. `row` has all columns of the table.
pub(super) fn is_wrong(connection: &Connection, table: &str, key: &Value, row: &Row<'_>) -> bool {
    let mut checksum = crc32fast::Hasher::new();
    for column in 0..row.as_ref().column_count() {
        let Ok(value) = row.get_ref(column) else { return true };
        add(&mut checksum, column, value);
    }
    let text = format!("select value from {table}_checks where key = ?1");
    let expected = connection.prepare_cached(&text).and_then(|mut statement| {
        statement.query_row([key], |row| row.get::<_, i64>(0)).optional()
    });
    expected.ok().flatten() != Some(i64::from(checksum.finalize()))
}

/// A column that is null adds nothing, so that a new column leaves the checksums of old rows right.
fn add(checksum: &mut crc32fast::Hasher, column: usize, value: ValueRef<'_>) {
    let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes();
    let mut add = |kind: u8, bytes: &[u8]| {
        checksum.update(&number(column));
        checksum.update(&[kind]);
        checksum.update(&number(bytes.len()));
        checksum.update(bytes);
    };
    match value {
        ValueRef::Null => {}
        ValueRef::Integer(number) => add(1, &number.to_le_bytes()),
        ValueRef::Real(number) => add(2, &number.to_le_bytes()),
        ValueRef::Text(text) => add(3, text),
        ValueRef::Blob(blob) => add(4, blob),
    }
}

/// Writes the checksums of all rows anew.
pub(super) fn rebuild(connection: &Connection) -> rusqlite::Result<()> {
    for Table { name, key, .. } in TABLES {
        let columns = columns(connection, name)?.join(", ");
        connection.execute_batch(&format!(
            "delete from {name}_checks;
             insert into {name}_checks select {key}, row_check({columns}) from {name};"
        ))?;
    }
    Ok(())
}

/// Makes the triggers of this connection, which write the checksum of each row that is new or
/// changes. They run after those in the file.
pub(super) fn add_triggers(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("pragma temp_store = memory")?;
    for Table { name, key, .. } in TABLES {
        let columns = columns(connection, name)?.into_iter().map(|column| format!("new.{column}"));
        let columns = columns.collect::<Vec<_>>().join(", ");
        for event in ["insert", "update"] {
            connection.execute_batch(&format!(
                "create temp trigger {name}_checked_after_{event} after {event} on main.{name}
                 begin
                     insert or replace into {name}_checks (key, value)
                     values (new.{key}, row_check({columns}));
                 end;"
            ))?;
        }
    }
    Ok(())
}

/// Compares all rows with their checksums. A table that a later version than the file's has added
/// has no rows.
pub(super) fn wrong_rows(connection: &Connection) -> rusqlite::Result<WrongRows> {
    let has_added = schema::has_added(connection)?;
    let mut wrong = WrongRows::default();
    for Table { name, key, .. } in TABLES {
        if name == "dead_letter_events" && !has_added {
            continue;
        }
        let columns =
            columns(connection, name)?.into_iter().map(|column| format!("{name}.{column}"));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let text = format!(
            "select
               (select count(*) from {name} join {name}_checks as checks
                  on checks.key = {name}.{key} where checks.value <> row_check({columns}))
             + (select count(*) from {name}_checks where key not in (select {key} from {name}))"
        );
        let count = connection.query_row(&text, [], |row| super::columns::unsigned(row, 0))?;
        if name == "owed" {
            wrong.owed = count;
        } else {
            wrong.dead_letters += count;
        }
    }
    Ok(wrong)
}

pub(in crate::cleanup::journal) fn columns(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<Vec<String>> {
    let text = "select name from pragma_table_info(?1) order by cid";
    connection.prepare(text)?.query_map([table], |row| row.get(0))?.collect()
}
