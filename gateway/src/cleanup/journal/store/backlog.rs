//! Debts that no task in memory delivers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Row, params};

use super::{
    Store,
    columns::{from_millis, id, limit_of, progress, to_millis, unsigned},
};
use crate::{
    call::FUNCTION_TIMEOUT_MAX,
    cleanup::journal::record::{Key, Progress, Record},
    registry::End,
};

impl Store {
    pub(in crate::cleanup::journal) fn take_backlog(
        &mut self,
        api: &str,
        limit: usize,
    ) -> rusqlite::Result<Vec<Record>> {
        self.take_stock()?;
        let transaction = self.connection.transaction()?;
        let records: Vec<Record> = transaction
            .prepare_cached(
                "select key, id, close_code, close_reason, ended_at, attempts, not_before from owed
                 where backlog and api = ?1 order by key limit ?2",
            )?
            .query_map(params![api, limit_of(limit)], record)?
            .collect::<rusqlite::Result<_>>()?;
        {
            let mut taken =
                transaction.prepare_cached("update owed set backlog = 0 where key = ?1")?;
            for record in &records {
                taken.execute([record.key.0])?;
            }
        }
        transaction.commit()?;
        Ok(records)
    }

    /// Puts records back that were taken out.
    pub(in crate::cleanup::journal) fn give_back(
        &mut self,
        records: &[Record],
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for Record { key, .. } in records {
            transaction
                .prepare_cached("update owed set backlog = 1 where key = ?1")?
                .execute([key.0])?;
        }
        transaction.commit()
    }

    pub(in crate::cleanup::journal) fn backlog(&mut self) -> rusqlite::Result<Vec<(String, u64)>> {
        self.take_stock()?;
        let text = "select api, count(*) from owed where backlog group by api order by api";
        let mut statement = self.connection.prepare_cached(text)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, unsigned(row, 1)?)))?;
        rows.collect()
    }

    /// Gives up the debts of APIs other than `served` that are older than `max_age`, and returns how
    /// many there were. The age of a debt whose connection nobody has seen end begins now.
    pub(in crate::cleanup::journal) fn give_up_unserved(
        &mut self,
        served: &[String],
        max_age: Duration,
    ) -> rusqlite::Result<usize> {
        self.take_stock()?;
        let now = SystemTime::now();
        let served = served.iter().map(|id| format!("'{}'", id.replace('\'', "''")));
        let unserved = format!("backlog and api not in ({})", served.collect::<Vec<_>>().join(","));
        let transaction = self.connection.transaction()?;
        // The API may come back soon, while a call of the dead process still runs.
        transaction.execute(
            &format!(
                "update owed set close_reason = ?1, ended_at = ?2, not_before = ?3
                 where ended_at is null and {unserved}"
            ),
            params![
                End::CRASH.reason.as_str(),
                to_millis(now),
                to_millis(now + FUNCTION_TIMEOUT_MAX)
            ],
        )?;
        let old = to_millis(now.checked_sub(max_age).unwrap_or(UNIX_EPOCH));
        transaction.execute(
            &format!(
                "insert or replace into dead_letters select id, api, close_code, close_reason,
                 ended_at, attempts, 'its api has no cleanup function', ?1 from owed
                 where ended_at < ?2 and {unserved}"
            ),
            params![to_millis(now), old],
        )?;
        let text = format!("delete from owed where ended_at < ?1 and {unserved}");
        let given_up = transaction.execute(&text, [old])?;
        transaction.commit()?;
        Ok(given_up)
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let has_ended = row.get::<_, Option<i64>>("ended_at")?.is_some();
    let progress = if has_ended {
        let not_before: Option<i64> = row.get("not_before")?;
        Some(Progress { not_before: not_before.map(from_millis), ..progress(row)? })
    } else {
        None
    };
    Ok(Record { key: Key(row.get("key")?), id: id(row)?, progress })
}
