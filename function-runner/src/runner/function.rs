//! A function as the runner holds it: its settings, its runtime and its log.

use daemon::settings::{Origins, Problem};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use crate::{invocation::RecentLines, runtime::Runtime, settings::FunctionSettings};

#[derive(Debug)]
pub(crate) struct HeldFunction {
    pub(crate) settings: FunctionSettings,
    pub(crate) runtime: Runtime,
    /// The last lines of its log.
    pub(crate) lines: RecentLines,
    /// Its invocations. Closed when it has been replaced.
    pub(crate) invocations: TaskTracker,
}

impl HeldFunction {
    /// Starts a function in Rust; other functions start when there is work. `lines` are those of
    /// the function that had this name before, if there was one, and `origins` those of the
    /// settings.
    pub(super) fn start(
        settings: FunctionSettings,
        lines: RecentLines,
        origins: &Origins,
    ) -> Result<Self, Problem> {
        let runtime = Runtime::new(&settings, lines.clone());
        let runtime = runtime.map_err(|error| settings.start_problem(&error, origins))?;
        Ok(Self { settings, runtime, lines, invocations: TaskTracker::new() })
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Whether `settings` would make the same function now. Looks at all files of its code.
    pub(super) fn is_of(&self, settings: &FunctionSettings) -> bool {
        // In this order: the look at the code also tells the pool whether it may start instances.
        !self.runtime.code_differs() && self.settings == *settings
    }

    /// What an operator may see of it: nothing of its environment.
    pub(super) fn describe(&self) -> Value {
        let FunctionSettings { name, timeout, memory_mb, max_instances, runtime } = &self.settings;
        json!({
            "name": name,
            "runtime": runtime.word(),
            "handler": runtime.handler(),
            "timeout_ms": u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            "memory_mb": memory_mb,
            "max_instances": max_instances,
            "running": self.runtime.running(),
        })
    }
}
