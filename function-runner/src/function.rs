//! A function as the runner holds it: its limits and its runtime.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{recent::RecentLines, runtime::Runtime, settings::FunctionSettings};

#[derive(Debug)]
pub(crate) struct HeldFunction {
    pub(crate) name: String,
    pub(crate) timeout: Duration,
    pub(crate) memory_mb: u32,
    pub(crate) runtime: Runtime,
    /// The last lines of its log.
    pub(crate) lines: RecentLines,
    max_instances: usize,
}

impl HeldFunction {
    /// `lines` are those of the function that had this name before, if there was one.
    pub(crate) fn new(settings: FunctionSettings, lines: RecentLines) -> Self {
        let FunctionSettings { name, timeout, memory_mb, max_instances, runtime } = settings;
        let runtime = Runtime::new(runtime, lines.clone());
        Self { name, timeout, memory_mb, runtime, lines, max_instances }
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
