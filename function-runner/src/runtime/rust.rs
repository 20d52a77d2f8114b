//! Functions in Rust: called in this process, many at once, on the runner's own threads.
//!
//! That is fast and has a price: one that blocks its thread or takes all memory hurts the others,
//! and no deadline can stop it. It is trusted code, compiled in. A panic is caught.

use std::{any::Any, fmt, panic::AssertUnwindSafe, sync::Arc};

use functions::{Context, Function, StartError};
use futures_util::FutureExt;
use shared::invocation::InvocationFault;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{invocation::Fault, settings::RustSettings};

/// One function, started.
pub(crate) struct RustRuntime {
    handler: String,
    function: Arc<dyn Function>,
    max_instances: usize,
    free_instances: Arc<Semaphore>,
}

/// A place among the invocations of one function, until dropped.
#[derive(Debug)]
pub(crate) struct RustInstance<'a> {
    runtime: &'a RustRuntime,
    #[expect(dead_code, reason = "held, not read")]
    place: OwnedSemaphorePermit,
}

impl RustRuntime {
    /// Starts the function.
    pub(super) fn start(settings: &RustSettings, max_instances: usize) -> Result<Self, StartError> {
        let RustSettings { handler, starter, environment } = settings;
        let function = starter.start(environment)?;
        let free_instances = Arc::new(Semaphore::new(max_instances));
        Ok(Self { handler: handler.clone(), function, max_instances, free_instances })
    }

    pub(super) fn running(&self) -> usize {
        self.max_instances - self.free_instances.available_permits()
    }

    /// Takes an instance. Does not wait for one: the caller knows better how long it can.
    pub(super) fn lease(&self) -> Result<RustInstance<'_>, Fault> {
        let place = Arc::clone(&self.free_instances).try_acquire_owned().map_err(|_| {
            let message = "function has as many invocations as it may have";
            Fault::new(InvocationFault::ConcurrencyExceeded, message)
        })?;
        Ok(RustInstance { runtime: self, place })
    }

    async fn call(&self, event: &[u8], context: &Context) -> Result<String, Fault> {
        // Inside the block, because a function may also panic before it returns its future.
        let call = async { self.function.call(event, context).await };
        // Whether what it left behind is still sound is for the function to know: to the next
        // invocation it is the same object, as a warm instance is.
        let reply = AssertUnwindSafe(call)
            .catch_unwind()
            .await
            .map_err(|panic| Fault::panicked(panic_text(panic.as_ref())))??;
        Ok(serde_json::to_string(&reply).expect("the keys of a value are strings"))
    }
}

impl RustInstance<'_> {
    pub(super) async fn invoke(self, event: &[u8], context: &Context) -> Result<String, Fault> {
        let limit = context.time_limit;
        let call = self.runtime.call(event, context);
        timeout(limit, call).await.map_err(|_| Fault::timed_out(limit))?
    }
}

impl fmt::Debug for RustRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustRuntime").field("handler", &self.handler).finish_non_exhaustive()
    }
}

/// What a panic said.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it did not say why")
}
