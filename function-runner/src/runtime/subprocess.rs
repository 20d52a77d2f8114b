//! Functions in other languages: each instance is a child process that fetches its events from a
//! runtime API of its own, one at a time.
//!
//! What a function does to its process hurts its own invocation only.

mod api;
mod backoff;
mod cgroup;
mod child;
mod code;
pub(crate) mod confinement;
mod exchange;
mod instance;
mod keeper;
mod lease;
mod memory;
mod output;
mod pool;
mod private_tmp;
pub(crate) mod program;
mod report;
mod spawner;

use std::{sync::Arc, time::Duration};

use functions::Context;

pub(crate) use self::{lease::Lease, program::Language};
use self::{pool::Pool, program::Program};
use crate::invocation::{Fault, RecentLines};

/// The limits of a function and of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) function_name: String,
    pub(crate) timeout: Duration,
    pub(crate) memory_mb: u32,
    pub(crate) max_instances: usize,
    pub(crate) min_instances: usize,
    pub(crate) idle_after: Duration,
    pub(crate) init_timeout: Duration,
}

/// One function, which has processes when there is work.
#[derive(Debug)]
pub(crate) struct SubprocessRuntime(Arc<Pool>);

impl SubprocessRuntime {
    pub(super) fn new(program: Program, limits: Limits, lines: RecentLines) -> Self {
        Self(Arc::new(Pool::new(program, limits, lines)))
    }

    pub(super) fn kind(&self) -> &'static str {
        self.0.program.language.word()
    }

    pub(super) fn handler(&self) -> &str {
        &self.0.program.handler
    }

    /// Instances that work, start or end.
    pub(super) fn running(&self) -> usize {
        self.0.busy()
    }

    pub(super) fn is_of(&self, program: &Program, limits: &Limits) -> bool {
        // In this order: the look also tells the pool whether it may start instances.
        !self.0.code_differs() && (&self.0.program, &self.0.limits) == (program, limits)
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
    pub(super) fn start(&self) {
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
