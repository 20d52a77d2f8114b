//! One invocation, from the moment nothing stands in its way: deadline, reply limit, log lines.

use std::sync::Arc;

use bytes::Bytes;
use functions::Context;
use shared::invocation::InvocationFault;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    event,
    fault::Fault,
    function::{HeldFunction, Instance},
    lines,
    runner::Admission,
};

/// An invocation that is about to run.
pub(crate) struct Invocation {
    pub(crate) function: Arc<HeldFunction>,
    pub(crate) event: Bytes,
    pub(crate) context: Context,
    /// Ends it when the runner cannot wait any longer.
    pub(crate) cut: CancellationToken,
    /// Given back when the function has ended, whoever still waits for it.
    #[expect(dead_code, reason = "held, not read")]
    pub(crate) places: (Admission, Instance),
}

impl Invocation {
    /// Runs it to its end, and logs the lines that SCF logs.
    pub(crate) async fn run(self) -> Result<String, Fault> {
        lines::start(&self.context);
        let start = Instant::now();
        let outcome = self.run_inner().await;
        lines::end(&self.context, start.elapsed(), &outcome);
        outcome
    }

    async fn run_inner(&self) -> Result<String, Fault> {
        let limit = self.function.timeout;
        let invoke = self.function.runtime.invoke(&self.event, &self.context);
        let reply = tokio::select! {
            // The function first: most end without ever having to listen for the cut.
            biased;
            reply = timeout(limit, invoke) => reply.map_err(|_| Fault::timed_out(limit))??,
            () = self.cut.cancelled() => return Err(cut_off()),
        };
        if reply.len() > event::BYTES_MAX {
            let message = format!("reply is larger than {} bytes", event::BYTES_MAX);
            return Err(Fault::new(InvocationFault::ReplyTooLarge, message));
        }
        Ok(reply)
    }
}

/// Not 503, which promises that the function did not run.
fn cut_off() -> Fault {
    let message = "runner shut down before the function had ended";
    Fault::new(InvocationFault::ProcessExited, message)
}
