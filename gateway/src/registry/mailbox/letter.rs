//! A message in a mailbox, and what its pusher is told.

use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::Instant,
};

use super::{Frame, Overflow};

/// A queued message.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) ticket: u64,
    pub(super) frame: Frame,
    /// Until when the message may be taken out. None if it is held while register runs.
    pub(super) deadline: Option<Instant>,
    /// The memory of a message that the mailbox had no room for.
    pub(super) overflow: Option<OwnedSemaphorePermit>,
    pub(super) written: oneshot::Sender<Delivery>,
}

/// On which terms a message is put in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'o> {
    /// When the push began.
    pub(crate) began: Instant,
    /// Until when the message may be taken out.
    pub(crate) deadline: Instant,
    /// Takes the message if the mailbox has no room, and the client reads.
    pub(crate) overflow: &'o Overflow,
}

/// What became of a queued message. A message for which there is no answer never was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Written,
    /// Its deadline passed while it was queued.
    Expired,
}

/// A message that was taken in.
#[derive(Debug)]
pub(crate) enum Offered {
    /// The connection is not open yet: the message is held, and written right after the 101.
    /// Nothing can be waited for: the register function that pushes may wait for this answer.
    Held,
    /// The message is queued.
    Queued(Receipt),
}

/// Stands for a queued message.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(super) ticket: u64,
    /// Whether the mailbox had no room. Such a message is kept only as long as its pusher waits.
    pub(crate) overflows: bool,
    /// Notified when the message has been written or has expired. Fails when the connection is
    /// gone.
    pub(crate) written: oneshot::Receiver<Delivery>,
}

/// Why a message was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotOffered {
    Full,
    Gone,
}

impl Letter {
    pub(super) fn has_expired(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }
}

impl Terms<'_> {
    /// Whether a client reads that last took something at `progress`.
    pub(super) fn reads(&self, progress: Instant) -> bool {
        let timeout = self.deadline.saturating_duration_since(self.began);
        self.began.saturating_duration_since(progress) < timeout
    }
}
