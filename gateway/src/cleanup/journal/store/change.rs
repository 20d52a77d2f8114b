//! The statements that carry out a change.

use rusqlite::{Connection, named_params, params};

use super::columns::to_millis;
use crate::cleanup::journal::record::Change;

/// Returns how many debts are erased.
pub(super) fn make(connection: &Connection, change: &Change) -> rusqlite::Result<usize> {
    match change {
        Change::Settle(key) => {
            return connection.prepare_cached("delete from owed where key = ?1")?.execute([key.0]);
        }
        Change::Progress { key, progress, to_backlog } => connection
            .prepare_cached(
                "update owed set close_code = :code, close_reason = :reason,
                 ended_at = :ended_at, attempts = :attempts, not_before = :not_before,
                 failures = :failures, give_up_at = :give_up_at, backlog = :backlog where key = :key",
            )?
            .execute(named_params! {
                ":key": key.0,
                ":code": progress.end.code.map(u16::from),
                ":reason": progress.end.reason.as_str(),
                ":ended_at": to_millis(progress.ended_at),
                ":attempts": progress.attempts,
                ":not_before": progress.not_before.map(to_millis),
                ":failures": progress.failures,
                ":give_up_at": progress.give_up_at.map(to_millis),
                ":backlog": to_backlog,
            }),
        Change::GiveUp { key, progress, error, given_up_at } => {
            connection
                .prepare_cached(
                    "insert or replace into dead_letters select id, api, :code, :reason,
                     :ended_at, :attempts, :error, :given_up_at from owed where key = :key",
                )?
                .execute(named_params! {
                    ":key": key.0,
                    ":code": progress.end.code.map(u16::from),
                    ":reason": progress.end.reason.as_str(),
                    ":ended_at": to_millis(progress.ended_at),
                    ":attempts": progress.attempts,
                    ":error": error,
                    ":given_up_at": to_millis(*given_up_at),
                })?;
            connection
                .prepare_cached(
                    "insert or replace into dead_letter_events
                     select id, dialect, info, extra from owed where key = ?1",
                )?
                .execute([key.0])?;
            return make(connection, &Change::Settle(*key));
        }
        Change::Retried { id, attempts, error } => connection
            .prepare_cached("update dead_letters set attempts = ?2, error = ?3 where id = ?1")?
            .execute(params![id.as_bytes(), attempts, error]),
    }
    .map(|_| 0)
}
