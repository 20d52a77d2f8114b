//! Debts that wait in the journal: no task in memory delivers them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{
    Store,
    columns::{event, from_millis, id, limit_of, progress, to_millis, unsigned},
};
use crate::cleanup::journal::record::{Key, Progress, Record, TakenDue};

impl Store {
    /// Takes up to `limit` debts of an API out of the backlog that are due at `now`, those first
    /// that were due first; with `hurry` also those whose last attempt has failed.
    pub(in crate::cleanup::journal) fn take_due(
        &mut self,
        api: &str,
        now: SystemTime,
        limit: usize,
        hurry: bool,
    ) -> rusqlite::Result<TakenDue> {
        self.take_stock()?;
        let transaction = self.connection.transaction()?;
        let also = if hurry { "or attempts > 0" } else { "" };
        let records: Vec<Record> = transaction
            .prepare_cached(&format!(
                "select key, id, close_code, close_reason, ended_at, attempts, failures, not_before,
                 give_up_at, dialect, info from owed
                 where backlog and api = :api and (coalesce(not_before, 0) <= :now {also})
                 order by coalesce(not_before, 0), key limit :limit"
            ))?
            .query_map(
                named_params! { ":api": api, ":now": to_millis(now), ":limit": limit_of(limit) },
                record,
            )?
            .collect::<rusqlite::Result<_>>()?;
        {
            let mut taken =
                transaction.prepare_cached("update owed set backlog = 0 where key = ?1")?;
            for record in &records {
                taken.execute([record.key.0])?;
            }
        }
        let next_due: Option<i64> = transaction
            .prepare_cached(
                "select coalesce(not_before, 0) from owed where backlog and api = ?1
                 order by coalesce(not_before, 0) limit 1",
            )?
            .query_row([api], |row| row.get(0))
            .optional()?;
        transaction.commit()?;
        Ok(TakenDue { records, next_due: next_due.map(from_millis) })
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

    /// Gives up the debts of APIs other than `served` that are older than `max_age` at `now`, and
    /// returns how many there were.
    pub(in crate::cleanup::journal) fn give_up_unserved(
        &mut self,
        served: &[String],
        now: SystemTime,
        max_age: Duration,
    ) -> rusqlite::Result<usize> {
        self.take_stock()?;
        let served = served.iter().map(|id| format!("'{}'", id.replace('\'', "''")));
        let served = served.collect::<Vec<_>>().join(",");
        let old = format!("backlog and api not in ({served}) and ended_at < ?1");
        let limit = to_millis(now.checked_sub(max_age).unwrap_or(UNIX_EPOCH));
        let transaction = self.connection.transaction()?;
        transaction.execute(
            &format!(
                "insert or replace into dead_letters select id, api, close_code, close_reason,
                 ended_at, attempts, 'its api has no cleanup function', ?2 from owed where {old}"
            ),
            params![limit, to_millis(now)],
        )?;
        transaction.execute(
            &format!(
                "insert or replace into dead_letter_events
                 select id, dialect, info, extra from owed where {old}"
            ),
            [limit],
        )?;
        let given_up = transaction.execute(&format!("delete from owed where {old}"), [limit])?;
        transaction.commit()?;
        if let Some(evidence) = &mut self.evidence {
            evidence.count_erased(given_up);
        }
        Ok(given_up)
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let time = |column| -> rusqlite::Result<Option<SystemTime>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(from_millis))
    };
    let (not_before, give_up_at) = (time("not_before")?, time("give_up_at")?);
    let failures = row.get("failures")?;
    let progress = Progress { failures, not_before, give_up_at, ..progress(row)? };
    Ok(Record { key: Key(row.get("key")?), id: id(row)?, event: event(row)?, progress })
}
