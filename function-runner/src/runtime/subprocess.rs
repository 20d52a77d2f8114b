//! Functions in other languages: each instance is a child process that fetches its events from a
//! runtime API of its own, one at a time.
//!
//! What a function does to its process hurts its own invocation only.

mod api;
mod backoff;
mod cgroup;
mod child;
mod code;
mod confinement;
mod exchange;
mod instance;
mod keeper;
mod lease;
mod limits;
mod memory;
mod output;
mod pool;
mod private_tmp;
mod program;
mod report;
mod spawner;

use std::sync::Arc;

use functions::Context;

pub(crate) use self::lease::Lease;
use self::{limits::Limits, pool::Pool};
use crate::{
    invocation::{Fault, RecentLines},
    settings::{FunctionSettings, SubprocessSettings},
};

/// One function, which has processes when there is work.
#[derive(Debug)]
pub(crate) struct SubprocessRuntime(Arc<Pool>);

impl SubprocessRuntime {
    pub(super) fn new(
        function: &FunctionSettings,
        subprocess: &SubprocessSettings,
        lines: RecentLines,
    ) -> Self {
        let limits = Limits::new(function, subprocess);
        Self(Arc::new(Pool::new(subprocess.into(), limits, lines)))
    }

    /// Instances that work, start or end.
    pub(super) fn running(&self) -> usize {
        self.0.busy()
    }

    /// Whether the code is no longer what instances were started from. Looks at all its files.
    pub(super) fn code_differs(&self) -> bool {
        self.0.code_differs()
    }

    /// Starts an instance, which then waits for work.
    pub(super) async fn probe(&self) -> Result<(), Fault> {
        self.0.probe().await
    }

    /// Another has taken its place: what is idle for long ends, `min_instances` or not.
    pub(super) fn give_way(&self) {
        self.0.give_way();
    }

    /// Keeps as many instances warm as the settings ask for, and says once what its limits are
    /// worth.
    pub(super) fn keep_warm(&self) {
        confinement::announce();
        self.0.keep_warm();
    }

    /// Waits for an instance, or starts one.
    pub(super) async fn lease(&self, context: &Context) -> Result<Lease, Fault> {
        self.0.lease(context).await
    }

    /// Ends all instances.
    pub(super) async fn stop(&self) {
        self.0.stop().await;
    }
}
