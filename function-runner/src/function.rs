//! A function as the runner holds it: its limits, its runtime and who is in it.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::invocation::InvocationFault;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{fault::Fault, runtime::Runtime, settings::FunctionSettings};

#[derive(Debug)]
pub(crate) struct HeldFunction {
    pub(crate) name: String,
    pub(crate) timeout: Duration,
    pub(crate) memory_mb: u32,
    pub(crate) runtime: Runtime,
    max_instances: usize,
    free_instances: Arc<Semaphore>,
}

/// One instance of a function, taken for one invocation until dropped.
pub(crate) type Instance = OwnedSemaphorePermit;

impl HeldFunction {
    pub(crate) fn new(settings: FunctionSettings) -> Self {
        let FunctionSettings { name, timeout, memory_mb, max_instances, runtime } = settings;
        let free_instances = Arc::new(Semaphore::new(max_instances));
        Self { name, timeout, memory_mb, runtime, max_instances, free_instances }
    }

    /// Takes an instance. Does not wait for one: the caller knows better how long it can.
    pub(crate) fn take_instance(&self) -> Result<Instance, Fault> {
        Arc::clone(&self.free_instances).try_acquire_owned().map_err(|_| {
            let message = "function has as many invocations as it may have";
            Fault::new(InvocationFault::ConcurrencyExceeded, message)
        })
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
            "running": self.max_instances - self.free_instances.available_permits(),
        })
    }
}
