//! What the journal asks of its thread.

use tokio::sync::oneshot;

use super::{error::JournalFailed, record::Debt, store::Store};

/// What the thread is asked to do, in order.
pub(super) enum Command {
    /// Writes a debt down and says whether it is on disk.
    Owe(Debt, Written),
    Query(Query),
    /// There are changes.
    Wake,
}

/// Told whether a debt is on disk.
pub(super) type Written = oneshot::Sender<Result<(), JournalFailed>>;

/// Answers by itself; the error is for the log.
pub(super) type Query = Box<dyn FnOnce(&mut Store) -> rusqlite::Result<()> + Send>;
