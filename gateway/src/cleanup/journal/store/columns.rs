//! Columns, read and written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Row;
use shared::connection_id::ConnectionId;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::{
    cleanup::journal::record::{EventSource, Progress},
    registry::End,
};

pub(super) fn id(row: &Row<'_>) -> rusqlite::Result<ConnectionId> {
    row.get("id").map(ConnectionId::from_bytes)
}

pub(super) fn progress(row: &Row<'_>) -> rusqlite::Result<Progress> {
    let code: Option<u16> = row.get("close_code")?;
    let reason: String = row.get("close_reason")?;
    let end = match reason.parse() {
        Ok(reason) => End::of(code.map(CloseCode::from), reason),
        // A later version wrote a reason that this one does not know.
        Err(_) => End::CRASH,
    };
    let ended_at = from_millis(row.get("ended_at")?);
    let attempts = row.get("attempts")?;
    Ok(Progress { end, ended_at, attempts, failures: 0, not_before: None, give_up_at: None })
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<EventSource> {
    let info: Option<Vec<u8>> = row.get("info")?;
    Ok(EventSource { dialect: row.get("dialect")?, info: info.unwrap_or_default() })
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(|value: i64| u64::try_from(value).unwrap_or(0))
}

pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn to_millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A duration, in milliseconds.
pub(super) fn length(duration: Duration) -> i64 {
    to_millis(UNIX_EPOCH + duration)
}

pub(super) fn from_millis(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
