//! Debts that were given up.

use rusqlite::{OptionalExtension, Row, params};
use shared::connection_id::ConnectionId;

use super::{
    Store,
    columns::{event, from_millis, id, limit_of, progress},
};
use crate::cleanup::journal::record::DeadLetter;

/// Dead letters, with what their events are made of. A version that did not write it has left none.
const SELECT: &str = "select * from dead_letters left join dead_letter_events using (id)";

impl Store {
    pub(in crate::cleanup::journal) fn dead_letters(
        &mut self,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> rusqlite::Result<Vec<DeadLetter>> {
        let after = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
        self.connection
            .prepare_cached(&format!("{SELECT} where id > ?1 order by id limit ?2"))?
            .query_map(params![after, limit_of(limit)], dead_letter)?
            .collect()
    }

    pub(in crate::cleanup::journal) fn dead_letter(
        &mut self,
        id: ConnectionId,
    ) -> rusqlite::Result<Option<DeadLetter>> {
        self.connection
            .prepare_cached(&format!("{SELECT} where id = ?1"))?
            .query_row([id.as_bytes()], dead_letter)
            .optional()
    }

    /// Whether there was one.
    pub(in crate::cleanup::journal) fn erase_dead_letter(
        &mut self,
        id: ConnectionId,
    ) -> rusqlite::Result<bool> {
        let text = "delete from dead_letter_events where id = ?1";
        self.connection.prepare_cached(text)?.execute([id.as_bytes()])?;
        let text = "delete from dead_letters where id = ?1";
        self.connection.prepare_cached(text)?.execute([id.as_bytes()]).map(|rows| rows > 0)
    }
}

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: id(row)?,
        api: row.get("api")?,
        event: event(row)?,
        progress: progress(row)?,
        error: row.get("error")?,
        given_up_at: from_millis(row.get("given_up_at")?),
    })
}
