//! Reads of a damaged file what can be read.

use std::{collections::BTreeSet, iter};

use rusqlite::{
    Connection, Error, Row, ToSql, params_from_iter,
    types::{FromSql, Value},
};

use super::{
    checks,
    columns::{id, progress},
};

/// The order of a scan. A scan ends at the first damaged page, so each table is read from both
/// ends.
const ORDERS: [&str; 2] = ["asc", "desc"];

/// How many debts can be read.
pub(super) fn readable(connection: &Connection) -> i64 {
    let mut keys = BTreeSet::new();
    for order in ORDERS {
        let text = format!("select key from owed order by key {order}");
        // A row that cannot be read ends the scan.
        let _ = for_each(connection, &text, &[], |row| {
            keys.extend(row.get::<_, i64>(0));
            Ok(())
        });
    }
    i64::try_from(keys.len()).unwrap_or(i64::MAX)
}

/// Copies all debts and dead letters that can be read and have a sense. Returns how many of the
/// debts may not be as they were written: their values may be those of nobody.
pub(super) fn copy(from: &Connection, to: &Connection) -> rusqlite::Result<u64> {
    copy_table(from, to, "dead_letters", "id", is_dead_letter)?;
    copy_table(from, to, "dead_letter_events", "id", |row| {
        id(row)?;
        is_event(row)
    })?;
    copy_table(from, to, "owed", "key", is_debt)
}

/// Fails if the row has a value that nothing could be made of.
fn is_debt(row: &Row<'_>) -> rusqlite::Result<()> {
    id(row)?;
    holds::<i64>(row, "key")?;
    holds::<String>(row, "api")?;
    holds::<Option<u16>>(row, "close_code")?;
    holds::<Option<String>>(row, "close_reason")?;
    for count in ["attempts", "failures"] {
        holds::<u32>(row, count)?;
    }
    for time in ["ended_at", "not_before", "run_ms", "give_up_at"] {
        holds::<Option<i64>>(row, time)?;
    }
    is_event(row)
}

fn is_dead_letter(row: &Row<'_>) -> rusqlite::Result<()> {
    id(row)?;
    progress(row)?;
    holds::<String>(row, "api")?;
    holds::<String>(row, "error")?;
    holds::<i64>(row, "given_up_at")
}

fn is_event(row: &Row<'_>) -> rusqlite::Result<()> {
    holds::<Option<String>>(row, "dialect")?;
    holds::<Option<Vec<u8>>>(row, "info")
}

/// Fails if the column has a value of another type. A file of an earlier version may lack it.
fn holds<T: FromSql>(row: &Row<'_>, column: &str) -> rusqlite::Result<()> {
    match row.get::<_, T>(column) {
        Ok(_) | Err(Error::InvalidColumnName(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn copy_table(
    from: &Connection,
    to: &Connection,
    table: &str,
    key: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<u64> {
    let Ok(there) = checks::columns(from, table) else { return Ok(0) };
    let mut columns = checks::columns(to, table)?;
    columns.retain(|column| there.contains(column));
    if columns.is_empty() {
        return Ok(0);
    }
    let marks = iter::repeat_n("?", columns.len()).collect::<Vec<_>>().join(", ");
    let names = columns.join(", ");
    let text = format!("insert or ignore into {table} ({names}) values ({marks})");
    let mut insert = to.prepare(&text)?;
    let mut wrong = 0;
    let mut take = |row: &Row<'_>| {
        let values = columns.iter().map(|column| row.get::<_, Value>(column.as_str()));
        match (read(row), values.collect::<rusqlite::Result<Vec<_>>>()) {
            (Ok(()), Ok(values)) => {
                let is_new = insert.execute(params_from_iter(values))? > 0;
                wrong += u64::from(is_new && checks::is_wrong(from, table, &row.get(key)?, row));
                Ok(())
            }
            _ => Ok(()),
        }
    };
    for order in ORDERS {
        let text = format!("select * from {table} order by {key} {order}");
        for_each(from, &text, &[], &mut take)?;
    }
    // Rows between two damaged pages are found by the keys of their checksums.
    let mut keys = Vec::new();
    for order in ORDERS {
        let text = format!("select key from {table}_checks order by key {order}");
        for_each(from, &text, &[], |row| {
            keys.extend(row.get::<_, Value>(0));
            Ok(())
        })?;
    }
    let text = format!("select * from {table} where {key} = ?1");
    for key in keys {
        for_each(from, &text, &[&key], &mut take)?;
    }
    Ok(wrong)
}

/// Gives each row that can be read to `take`. Only errors of `take` are errors.
fn for_each(
    from: &Connection,
    text: &str,
    parameters: &[&dyn ToSql],
    mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let Ok(mut statement) = from.prepare_cached(text) else { return Ok(()) };
    let Ok(mut rows) = statement.query(parameters) else { return Ok(()) };
    while let Ok(Some(row)) = rows.next() {
        take(row)?;
    }
    Ok(())
}
