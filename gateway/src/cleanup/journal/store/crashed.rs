//! Debts of connections that were open when an earlier process was killed, and that wait because of
//! that alone.

use std::time::SystemTime;

use rusqlite::named_params;

use super::{
    RUN_MAX, Store, WAIT_MAX,
    columns::{length, to_millis},
};
use crate::registry::End;

impl Store {
    /// Has those of an API wait until `until`, and for as long as its calls may run at least.
    /// Returns how many there are.
    pub(in crate::cleanup::journal) fn crashed_wait_until(
        &mut self,
        api: &str,
        until: SystemTime,
    ) -> rusqlite::Result<usize> {
        self.take_stock()?;
        // `ended_at` is the start of the process that found the connection open.
        let text = "update owed set
                not_before = min(
                    max(ended_at + coalesce(run_ms, :run_max), :until),
                    :start + :wait_max
                )
            where backlog and api = :api and key <= :last_key
                and close_reason = :crash and attempts = 0";
        self.connection.prepare_cached(text)?.execute(named_params! {
            ":until": to_millis(until),
            ":run_max": length(RUN_MAX),
            ":wait_max": length(WAIT_MAX),
            ":start": to_millis(self.opened_at),
            ":api": api,
            ":crash": End::CRASH.reason.as_str(),
            ":last_key": self.last_key,
        })
    }
}
