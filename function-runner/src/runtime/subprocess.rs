//! Functions in other languages: each instance is a child process that fetches its events from a
//! runtime API of its own, one at a time.
//!
//! A function that breaks its process harms its own invocation only.

mod api;
mod backoff;
mod capabilities;
mod cgroup;
mod child;
mod child_cloud;
mod code;
mod confinement;
mod delivery;
mod exchange;
mod heap;
mod instance;
mod keeper;
mod lease;
mod limits;
mod memory;
mod namespaces;
mod output;
mod pool;
mod private_tmp;
mod processes;
mod program;
mod report;
mod secrets;
mod spawner;
mod trial;

use std::sync::Arc;

use daemon::{body::BodyMemory, reload::Trigger};
use functions::Context;
use tracing::warn;

pub use self::api::runtime_api_paths;
pub(crate) use self::{
    api::reply_memory,
    lease::{Lease, NotRun},
};
use self::{child_cloud::ChildCloud, limits::Limits, pool::Pool};
use crate::{
    cloud::CloudProcess,
    invocation::{Fault, RecentLines},
    push::Pushes,
    settings::{FunctionSettings, SubprocessSettings},
};

/// One function. Its processes start when there is an event.
#[derive(Debug)]
pub(crate) struct SubprocessRuntime(Arc<Pool>);

impl SubprocessRuntime {
    pub(super) fn new(
        function: &FunctionSettings,
        subprocess: &SubprocessSettings,
        lines: RecentLines,
        replies: BodyMemory,
        pushes: Pushes,
        cloud: &CloudProcess,
    ) -> Self {
        let limits = Limits::new(function, subprocess);
        let cloud = ChildCloud::new(function, subprocess, cloud, &lines);
        Self(Arc::new(Pool::new(subprocess.into(), limits, lines, replies, pushes, cloud)))
    }

    /// How many instances work, start or end.
    pub(super) fn running(&self) -> usize {
        self.0.busy()
    }

    /// How many instances there may be.
    pub(super) fn processes_max(&self) -> usize {
        self.0.limits.max_instances
    }

    /// Whether the code is no longer what instances were started from. Looks at all its files, and
    /// at SIGHUP at data behind its links too.
    pub(super) fn code_differs(&self, trigger: Trigger) -> bool {
        self.0.code_differs(trigger)
    }

    /// Starts an instance and lets it wait for work.
    pub(super) async fn probe(&self) -> Result<(), Fault> {
        self.0.probe().await
    }

    /// A new function has replaced this one: idle instances end, `min_instances` too.
    pub(super) fn retire(&self) {
        self.0.give_way();
    }

    /// Starts `min_instances` instances and keeps them. Logs once which limits are in force, and
    /// warns of a function of root.
    pub(super) fn keep_warm(&self) {
        confinement::announce();
        if self.0.program.user().is_root() {
            let name = &self.0.limits.function_name;
            warn!(
                function.name = name,
                "function {name} runs as root: set its key user to a user that nothing else has"
            );
        }
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
