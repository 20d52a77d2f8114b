//! Making do with the instances that live while another cannot be started, or must not be: somebody
//! is changing the code. Until the runner takes the new code into use, which it does only if that
//! works, nobody is to get it, and those that live were started from code that worked.

use std::sync::{Arc, atomic::Ordering};

use shared::invocation::InvocationFault;
use tokio::{task::spawn_blocking, time::timeout};

use super::{Idle, Pool};
use crate::{
    fault::Fault,
    runtime::subprocess::{code::CodeVersion, lease::Held},
};

impl Pool {
    /// Whether the code is no longer what instances were started from. Looks at all its files.
    pub(in crate::runtime::subprocess) fn code_differs(&self) -> bool {
        CodeVersion::of(&self.program.folder) != self.version
    }

    /// The same, from within a task.
    pub(in crate::runtime::subprocess) async fn code_has_changed(self: &Arc<Self>) -> bool {
        let pool = Arc::clone(self);
        spawn_blocking(move || pool.code_differs()).await.unwrap_or(false)
    }

    /// Whether an idle instance is to stay, because no other could be started in its place.
    pub(in crate::runtime::subprocess) async fn is_irreplaceable(self: &Arc<Self>) -> bool {
        !self.is_retired.load(Ordering::Relaxed) && self.code_has_changed().await
    }

    /// Whether to start no instance: some live, and another would not be like them.
    pub(super) async fn has_to_make_do(self: &Arc<Self>) -> bool {
        self.state().count > 0 && self.code_has_changed().await
    }

    /// Whether an instance that has just started is not like the others that live.
    pub(in crate::runtime::subprocess) async fn is_strange(self: &Arc<Self>) -> bool {
        self.state().count > 1 && self.code_has_changed().await
    }

    /// Waits for one of the instances that live, since another did not start for `fault`. While
    /// there is none, that is the answer.
    pub(in crate::runtime::subprocess) async fn spare(
        self: &Arc<Self>,
        fault: Fault,
    ) -> Result<Held, Fault> {
        let limit = self.limits.timeout;
        let found = async {
            let place = self.queue.place(limit).await?;
            loop {
                let freed = self.freed.notified();
                tokio::pin!(freed);
                freed.as_mut().enable();
                {
                    let mut state = self.state();
                    if let Some(Idle { id, jobs }) = state.idle.pop() {
                        return Ok(Held { id, jobs, place });
                    }
                    if state.count == 0 {
                        return Err(fault.clone());
                    }
                }
                freed.await;
            }
        };
        timeout(limit, found).await.unwrap_or_else(|_| Err(fault.clone()))
    }
}

/// The event has not been handed to anyone; a moment later it can be.
pub(in crate::runtime::subprocess) fn code_changed() -> Fault {
    Fault::new(InvocationFault::Draining, "the code of the function is being changed")
}
