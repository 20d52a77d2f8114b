//! What the journal holds: debts, how far their delivery has got, and dead letters.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use shared::connection_id::ConnectionId;

use crate::registry::End;

/// Names a debt. Later debts have larger keys, so the file grows at its end only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(super) i64);

/// A debt whose connection has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: Key,
    pub(crate) id: ConnectionId,
    pub(crate) event: EventSource,
    pub(crate) progress: Progress,
}

/// What was due in the backlog of an API.
#[derive(Debug)]
pub(crate) struct TakenDue {
    pub(crate) records: Vec<Record>,
    /// When the first one of those is due that are left. None if none is left.
    pub(crate) next_due: Option<SystemTime>,
}

/// What the event of a cleanup is made of, beside the connection's id and its end. The journal does
/// not read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EventSource {
    /// The word of the dialect. None in rows of a version that did not write it.
    pub(crate) dialect: Option<String>,
    /// What the dialect has to know of the connection, as it wrote it down.
    pub(crate) info: Vec<u8>,
}

/// How far the delivery of a cleanup has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// How the connection ended.
    pub(crate) end: End,
    /// When the connection ended. The age limit counts from here.
    pub(crate) ended_at: SystemTime,
    /// Attempts that failed.
    pub(crate) attempts: u32,
    /// Those of them that this process has made. The pauses between attempts grow with them.
    pub(crate) failures: u32,
    /// When the cleanup is due: a call may still run, or the last attempt has failed. None if it
    /// has been due from the end of the connection on.
    pub(crate) not_before: Option<SystemTime>,
    /// When the cleanup is given up. None before the first attempt of this process.
    pub(crate) give_up_at: Option<SystemTime>,
}

/// A cleanup that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) id: ConnectionId,
    /// The id of its API.
    pub(crate) api: String,
    pub(crate) event: EventSource,
    pub(crate) progress: Progress,
    /// Why the last attempt failed.
    pub(crate) error: String,
    pub(crate) given_up_at: SystemTime,
}

/// How much there is in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Debts, those of open connections among them.
    pub(crate) owed: u64,
    /// Debts that wait in the journal.
    pub(crate) backlog: u64,
    pub(crate) dead_letters: u64,
}

/// A debt that is new.
#[derive(Debug)]
pub(super) struct Debt {
    pub(super) key: Key,
    pub(super) id: ConnectionId,
    /// The id of its API.
    pub(super) api: Arc<str>,
    /// How long a call of the connection may run, if that is known.
    pub(super) run: Option<Duration>,
    pub(super) event: EventSource,
}

impl Debt {
    /// A debt of nobody, to see whether debts can be written.
    pub(super) fn for_a_trial() -> Self {
        Self {
            key: Key(i64::MAX),
            id: ConnectionId::from_bytes([0; 19]),
            api: "".into(),
            run: None,
            event: EventSource::default(),
        }
    }
}

/// What happened to a debt or a dead letter.
#[derive(Debug)]
pub(super) enum Change {
    Settle(Key),
    Progress {
        key: Key,
        progress: Progress,
        to_backlog: bool,
    },
    GiveUp {
        key: Key,
        progress: Progress,
        error: String,
        given_up_at: SystemTime,
    },
    /// Another attempt for a dead letter has failed.
    Retried {
        id: ConnectionId,
        attempts: u32,
        error: String,
    },
}

/// What a change is about. A later change replaces the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Debt(Key),
    DeadLetter(ConnectionId),
}

impl Change {
    pub(super) fn subject(&self) -> Subject {
        match self {
            Self::Settle(key) | Self::Progress { key, .. } | Self::GiveUp { key, .. } => {
                Subject::Debt(*key)
            }
            Self::Retried { id, .. } => Subject::DeadLetter(*id),
        }
    }
}
