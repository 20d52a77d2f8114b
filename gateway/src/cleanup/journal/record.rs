//! What the journal holds: debts, how far their delivery has got, and dead letters.

use std::{sync::Arc, time::SystemTime};

use shared::connection_id::ConnectionId;

use crate::registry::End;

/// Names a debt. Those of later connections are larger, so the file grows at its end only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(super) i64);

/// A debt that was taken out of the backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: Key,
    pub(crate) id: ConnectionId,
    /// None if nobody has seen the connection end: the process died before it did.
    pub(crate) progress: Option<Progress>,
}

/// How far the delivery of a cleanup has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// How the connection ended.
    pub(crate) end: End,
    /// When it did. The age limit counts from here.
    pub(crate) ended_at: SystemTime,
    /// Attempts that failed.
    pub(crate) attempts: u32,
    /// Set while a call whose time ran out may still be at work: it has ended by then.
    pub(crate) not_before: Option<SystemTime>,
}

impl Progress {
    /// A connection that ends now, and all its calls with it.
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
    /// Debts that nothing in memory stands for.
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

/// What has become of a debt or a dead letter.
#[derive(Debug)]
pub(super) enum Change {
    Settle(Key),
    Progress {
        key: Key,
        progress: Progress,
        to_backlog: bool,
    },
    Bury {
        key: Key,
        progress: Progress,
        error: String,
    },
    /// A dead letter was tried again, and failed again.
    Retried {
        id: ConnectionId,
        attempts: u32,
        error: String,
    },
}

/// What a change is about. A later change makes those before it needless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Debt(Key),
    DeadLetter(ConnectionId),
}

impl Change {
    pub(super) fn subject(&self) -> Subject {
        match self {
            Self::Settle(key) | Self::Progress { key, .. } | Self::Bury { key, .. } => {
                Subject::Debt(*key)
            }
            Self::Retried { id, .. } => Subject::DeadLetter(*id),
        }
    }
}
