//! A function of the runner: its settings, its runtime and its log.

use std::time::Duration;

use daemon::{
    body::BodyMemory,
    reload::Trigger,
    settings::{Origins, Problem},
    time::milliseconds,
};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use super::ends::Ends;
use crate::{
    invocation::RecentLines,
    runtime::{GatewayAccess, Runtime},
    settings::FunctionSettings,
};

#[derive(Debug)]
pub(crate) struct HeldFunction {
    pub(crate) settings: FunctionSettings,
    pub(crate) runtime: Runtime,
    /// The last lines of its log.
    pub(crate) lines: RecentLines,
    /// When the running invocations will have ended.
    pub(crate) ends: Ends,
    /// The running invocations. Closed when the function is replaced or removed.
    pub(crate) invocations: TaskTracker,
}

impl HeldFunction {
    /// Starts a function in Rust. Other functions start when there is an event. `lines` and
    /// `ends` are those of functions that had this name before, if there were any. `replies` is the
    /// memory for replies, `gateway` how pushes reach the gateway, `origins` are those of the
    /// settings.
    pub(super) fn start(
        settings: FunctionSettings,
        lines: RecentLines,
        ends: Ends,
        replies: &BodyMemory,
        gateway: &GatewayAccess,
        origins: &Origins,
    ) -> Result<Self, Problem> {
        let runtime = Runtime::new(&settings, lines.clone(), replies, gateway, origins)?;
        Ok(Self { settings, runtime, lines, ends, invocations: TaskTracker::new() })
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// How long an invocation may take, from when it has its event.
    pub(super) fn longest(&self) -> Duration {
        self.settings.longest_wait() + self.longest_run()
    }

    /// How long an invocation may take, from when it has an instance.
    pub(super) fn longest_run(&self) -> Duration {
        self.runtime.longest(self.settings.timeout)
    }

    /// Whether `settings` would make the same function now. Looks at all files of its code, and
    /// at SIGHUP at data behind its links too.
    pub(super) fn is_of(&self, settings: &FunctionSettings, trigger: Trigger) -> bool {
        // The code first: the pool has to learn of changed code, whatever the settings are.
        !self.runtime.code_differs(trigger) && self.settings == *settings
    }

    /// The function as operators see it. Its environment is left out: it may hold secrets.
    pub(super) fn describe(&self) -> Value {
        let FunctionSettings { name, timeout, memory_mb, max_instances, runtime, push: _ } =
            &self.settings;
        json!({
            "name": name,
            "runtime": runtime.word(),
            "handler": runtime.handler(),
            "timeout_ms": milliseconds(*timeout),
            "memory_mb": memory_mb,
            "max_instances": max_instances,
            "ends_within_ms": milliseconds(self.ends.within()),
            "running": self.runtime.running(),
        })
    }
}
