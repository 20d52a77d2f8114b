//! What the journal holds: debts, how far their delivery has got, and dead letters.

use std::{sync::Arc, time::SystemTime};

use shared::connection_id::ConnectionId;

use crate::registry::End;

/// Names a debt. Later debts have larger keys, so the file grows at its end only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(super) i64);

/// A debt that was taken out of the backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: Key,
    pub(crate) id: ConnectionId,
    /// None if nobody has seen the connection end, because the process died before.
    pub(crate) progress: Option<Progress>,
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
    /// When an overdue call has ended for certain. Set while the function may still run.
    pub(crate) not_before: Option<SystemTime>,
}

impl Progress {
    /// A connection that ends now, as all its calls have.
    pub(crate) fn new(end: End) -> Self {
        Self { end, ended_at: SystemTime::now(), attempts: 0, not_before: None }
    }
}

/// A cleanup that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) id: ConnectionId,
    /// The id of its API.
    pub(crate) api: String,
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
    /// Debts that no task in memory delivers.
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
