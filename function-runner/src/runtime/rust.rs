//! Functions in Rust: called in this process, many at once, on the runner's own threads.
//!
//! Such a function is trusted code. If it blocks its thread or takes all memory, the others suffer,
//! and no deadline can stop it. A panic is caught.

use std::{any::Any, fmt, panic::AssertUnwindSafe, sync::Arc};

use functions::{Context, Environment, Function, StartError};
use futures_util::FutureExt;
use shared::invocation::InvocationFault;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{invocation::Fault, settings::RustSettings};

/// One function, started.
pub(crate) struct RustRuntime {
    handler: String,
    function: Arc<dyn Function>,
    max_instances: usize,
    free_instances: Arc<Semaphore>,
}

/// The permit for one invocation of a function.
#[derive(Debug)]
pub(crate) struct RustInstance<'a> {
    runtime: &'a RustRuntime,
    #[expect(dead_code, reason = "held, not read")]
    permit: OwnedSemaphorePermit,
}

impl RustRuntime {
    /// Starts the function in `environment`, which is that of the settings and how it pushes.
    pub(super) fn start(
        settings: &RustSettings,
        environment: &Environment,
        max_instances: usize,
    ) -> Result<Self, StartError> {
        let RustSettings { handler, starter, environment: _ } = settings;
        let function = starter.start(environment)?;
        let free_instances = Arc::new(Semaphore::new(max_instances));
        Ok(Self { handler: handler.clone(), function, max_instances, free_instances })
    }

    pub(super) fn running(&self) -> usize {
        self.max_instances - self.free_instances.available_permits()
    }

    /// Reserves an instance. Does not wait for one: the caller knows how long it can wait.
    pub(super) fn lease(&self) -> Result<RustInstance<'_>, Fault> {
        let permit = Arc::clone(&self.free_instances).try_acquire_owned().map_err(|_| {
            let message = "function has as many invocations as it may have";
            Fault::new(InvocationFault::ConcurrencyExceeded, message)
        })?;
        Ok(RustInstance { runtime: self, permit })
    }

    async fn call(&self, event: &[u8], context: &Context) -> Result<String, Fault> {
        // Within the block, because a function may panic before it returns its future.
        let call = async { self.function.call(event, context).await };
        // The next invocation gets the same object, as with a warm instance. It is for the function
        // to leave a good state behind when it panics.
        let reply = AssertUnwindSafe(call)
            .catch_unwind()
            .await
            .map_err(|panic| Fault::panicked(panic_text(panic.as_ref())))??;
        Ok(serde_json::to_string(&reply).expect("the keys of a value are strings"))
    }
}

impl RustInstance<'_> {
    pub(super) async fn invoke(
        self,
        event: &[u8],
        context: &Context,
        cut: &CancellationToken,
    ) -> Result<String, Fault> {
        let limit = context.time_limit;
        let call = timeout(limit, self.runtime.call(event, context));
        tokio::select! {
            // The function first: most functions end before `cut` has to be polled.
            biased;
            ended = call => ended.map_err(|_| Fault::timed_out(limit))?,
            () = cut.cancelled() => Err(Fault::cut_off()),
        }
    }
}

impl fmt::Debug for RustRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustRuntime").field("handler", &self.handler).finish_non_exhaustive()
    }
}

/// The message of a panic.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}
