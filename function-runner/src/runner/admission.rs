//! The guard of an admitted invocation.

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::ends::RunningGuard;

/// Counts an invocation, until dropped, among those of the runner and those of its function. A
/// shutdown waits for it, and the end of a function that is replaced does too.
#[derive(Debug)]
pub(super) struct Admission {
    #[expect(dead_code, reason = "held, not read")]
    pub(super) in_runner: TaskTrackerToken,
    #[expect(dead_code, reason = "held, not read")]
    pub(super) permit: OwnedSemaphorePermit,
    #[expect(dead_code, reason = "held, not read")]
    pub(super) of_function: TaskTrackerToken,
    pub(super) running: RunningGuard,
}
