//! What the journal asks its thread to do.

use tokio::sync::oneshot;

use super::{error::JournalFailed, record::Debt, store::Store};

/// What the thread is asked to do, in order.
pub(super) enum Command {
    /// Write a debt, and say whether it is on disk.
    Owe(Debt, Written),
    Query(Query),
    /// Write the changes that wait.
    Wake,
}

/// Notified whether a debt is on disk.
pub(super) type Written = oneshot::Sender<Result<(), JournalFailed>>;

/// Sends its own answer. The error is for the log.
pub(super) type Query = Box<dyn FnOnce(&mut Store) -> rusqlite::Result<()> + Send>;
