//! A function as the runner holds it: its limits and its runtime.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use crate::{invocation::RecentLines, runtime::Runtime, settings::FunctionSettings};

#[derive(Debug)]
pub(crate) struct HeldFunction {
    pub(crate) name: String,
    pub(crate) timeout: Duration,
    pub(crate) memory_mb: u32,
    pub(crate) runtime: Runtime,
    /// The last lines of its log.
    pub(crate) lines: RecentLines,
    /// Its invocations. Closed when it has been replaced.
    pub(crate) invocations: TaskTracker,
    max_instances: usize,
}

impl HeldFunction {
    /// `lines` are those of the function that had this name before, if there was one.
    pub(crate) fn new(settings: FunctionSettings, lines: RecentLines) -> Self {
        let FunctionSettings { name, timeout, memory_mb, max_instances, runtime } = settings;
        let runtime = Runtime::new(runtime, lines.clone());
        let invocations = TaskTracker::new();
        Self { name, timeout, memory_mb, runtime, lines, invocations, max_instances }
    }

    /// Whether `settings` would make the same function now. Looks at all files of its code.
    pub(crate) fn is_of(&self, settings: &FunctionSettings) -> bool {
        let FunctionSettings { timeout, memory_mb, max_instances, .. } = *settings;
        (self.timeout, self.memory_mb, self.max_instances) == (timeout, memory_mb, max_instances)
            && self.runtime.is_of(&settings.runtime)
    }

    /// What an operator may see of it: nothing of its environment.
    pub(crate) fn describe(&self) -> Value {
        json!({
            "name": self.name,
            "runtime": self.runtime.kind(),
            "handler": self.runtime.handler(),
            "timeout_ms": u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
            "memory_mb": self.memory_mb,
            "max_instances": self.max_instances,
            "running": self.runtime.running(),
        })
    }
}
