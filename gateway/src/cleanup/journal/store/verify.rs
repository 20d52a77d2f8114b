//! Compares an open file with its marker and its checksums. It changes nothing.

use rusqlite::Connection;

use super::{
    checks::{WrongRows, wrong_rows},
    evidence::State,
    salvage,
};
use crate::cleanup::journal::{
    error::{Damage, Loss},
    marker::{Found, Mark, Stage},
};

/// What a file is, beside its marker.
#[derive(Debug)]
pub(super) enum Verdict {
    /// A journal that is new, or of a version without marker. What it has lost is not known.
    New,
    Whole(State),
    /// The machine was restarted, and the last transactions had not been written to its disk. With
    /// them up to so many owed cleanups are missing. Without a state all transactions are.
    EndLost(Option<State>, u64),
    Damaged(Damage, Loss),
}

impl Found {
    /// The mark of a journal that has been begun.
    pub(super) fn mark(&self) -> Option<&Mark> {
        match self {
            Self::Mark(mark) if mark.stage != Stage::Making => Some(mark),
            Self::Mark(_) | Self::Nothing | Self::Unreadable => None,
        }
    }

    /// The loss if nothing can be read.
    pub(super) fn loss_of_all(&self) -> Loss {
        self.mark().map_or(Loss::Unknown, |mark| loss(mark, mark.owed))
    }
}

pub(super) fn verify(
    connection: &Connection,
    version: i64,
    found: &Found,
) -> rusqlite::Result<Verdict> {
    let content = integrity(connection)?;
    if content != "ok" {
        let loss = match found.mark() {
            Some(mark) => loss(mark, mark.owed.saturating_sub(salvage::readable(connection))),
            None => Loss::Unknown,
        };
        return Ok(Verdict::Damaged(Damage::Content(content), loss));
    }
    let state = State::read(connection)?;
    Ok(match (found, state) {
        (Found::Unreadable, _) => Verdict::Damaged(Damage::Marker, Loss::Unknown),
        (Found::Nothing, Some(_)) => Verdict::Damaged(Damage::MarkerGone, Loss::Unknown),
        (Found::Nothing, None) => Verdict::New,
        (Found::Mark(mark), _) if mark.stage == Stage::Making => Verdict::New,
        (Found::Mark(mark), None) if version == 0 => end_gone(mark, None, mark.owed),
        (Found::Mark(mark), None) => {
            Verdict::Damaged(Damage::Content("no table journal".into()), loss(mark, mark.owed))
        }
        (Found::Mark(mark), Some(state)) => compare(connection, version, mark, state)?,
    })
}

fn compare(
    connection: &Connection,
    version: i64,
    mark: &Mark,
    state: State,
) -> rusqlite::Result<Verdict> {
    if version != mark.version {
        let text = format!("version {version} of its tables, and not {}", mark.version);
        return Ok(Verdict::Damaged(Damage::Content(text), loss(mark, 0)));
    }
    if state.identity != mark.identity {
        return Ok(Verdict::Damaged(Damage::OtherMarker, Loss::Unknown));
    }
    let behind = missing_at_end(mark, state);
    let WrongRows { owed, dead_letters } = wrong_rows(connection)?;
    if owed + dead_letters > 0 {
        let missing = behind.unwrap_or(0).saturating_add(i64::try_from(owed).unwrap_or(i64::MAX));
        let damage = Damage::Entries(owed + dead_letters);
        return Ok(Verdict::Damaged(damage, loss(mark, missing)));
    }
    Ok(match behind {
        Some(missing) => end_gone(mark, Some(state), missing),
        None => Verdict::Whole(state),
    })
}

/// How many debts at most were in the transactions that the file does not have. None if it has all.
/// A debt that is missing was written in one of them, and was owed at the end.
fn missing_at_end(mark: &Mark, state: State) -> Option<i64> {
    let is_behind = state.sequence < mark.sequence;
    is_behind.then(|| mark.written.saturating_sub(state.written).clamp(0, mark.owed.max(0)))
}

fn end_gone(mark: &Mark, state: Option<State>, missing: i64) -> Verdict {
    if mark.may_lose_its_end() {
        Verdict::EndLost(state, unsigned(missing))
    } else {
        Verdict::Damaged(Damage::EndGone, loss(mark, missing))
    }
}

/// What a damaged file has lost, of which `read` debts could be read, `wrong` ones among them.
pub(super) fn loss_after(connection: &Connection, found: &Found, read: u64, wrong: u64) -> Loss {
    let Some(mark) = found.mark() else { return Loss::Unknown };
    let [read, wrong] = [read, wrong].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let unread = mark.owed.saturating_sub(read);
    let state = State::read(connection).ok().flatten();
    let state = state.filter(|state| state.identity == mark.identity);
    let behind = state.and_then(|state| missing_at_end(mark, state)).unwrap_or(0);
    loss(mark, unread.max(behind).saturating_add(wrong))
}

/// `missing` of the debts that the marker has counted.
fn loss(mark: &Mark, missing: i64) -> Loss {
    Loss::AtMost { missing: unsigned(missing.min(mark.owed)), owed: unsigned(mark.owed) }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// "ok", or what is wrong.
fn integrity(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("pragma integrity_check(1)", [], |row| row.get(0))
}
