//! Functions in Rust: called in this process, many at once, on the runner's own threads.
//!
//! That is fast and has a price: one that blocks its thread or takes all memory hurts the others,
//! and no deadline can stop it. It is trusted code, compiled in. A panic is caught.

use std::{any::Any, fmt, panic::AssertUnwindSafe, sync::Arc};

use functions::{Context, Function};
use futures_util::FutureExt;

use crate::fault::Fault;

/// One function, started.
pub(crate) struct RustRuntime {
    handler: String,
    function: Arc<dyn Function>,
}

impl RustRuntime {
    pub(crate) fn new(handler: String, function: Arc<dyn Function>) -> Self {
        Self { handler, function }
    }

    pub(super) fn handler(&self) -> &str {
        &self.handler
    }

    pub(super) async fn invoke(&self, event: &[u8], context: &Context) -> Result<String, Fault> {
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
