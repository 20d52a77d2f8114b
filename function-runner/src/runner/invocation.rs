//! One invocation, from the moment it is admitted: instance, reply limit, log lines.

use std::sync::Arc;

use bytes::Bytes;
use functions::Context;
use shared::invocation::{Disposition, InvocationFault};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Admission, function::HeldFunction};
use crate::{
    invocation::{Caller, Ended, Fault, Lines, Report, event},
    runtime::Instance,
};

/// An invocation that is about to run.
pub(crate) struct Invocation {
    pub(crate) function: Arc<HeldFunction>,
    pub(crate) event: Bytes,
    pub(crate) context: Context,
    pub(crate) lines: Lines,
    pub(crate) caller: Caller,
    /// Ends it when the runner cannot wait any longer.
    pub(crate) cut: CancellationToken,
    /// Given back when the function has ended, whoever still waits for it.
    #[expect(dead_code, reason = "held, not read")]
    pub(crate) place: Admission,
}

impl Invocation {
    /// Runs it to its end, and logs the lines that SCF logs. When it did not run the caller
    /// hears of that; only if there is none any more, the log does.
    pub(crate) async fn run(self) -> Report {
        let instance = match self.lease().await {
            Err(fault) if fault.kind.disposition() == Disposition::NotRun => {
                if self.caller == Caller::HasLeft {
                    self.lines.not_run(&self.context, &fault);
                }
                return fault.into();
            }
            leased => leased,
        };
        self.lines.start(&self.context);
        let start = Instant::now();
        let ended = match instance {
            Ok(instance) => self.run_inner(instance).await,
            Err(fault) => fault.into(),
        };
        let duration = start.elapsed();
        self.lines.end(&self.context, duration, &ended);
        let Ended { outcome, memory_peak } = ended;
        Report { outcome, duration, memory_peak }
    }

    async fn lease(&self) -> Result<Instance<'_>, Fault> {
        tokio::select! {
            biased;
            leased = self.function.runtime.lease(&self.context) => leased,
            () = self.cut.cancelled() => Err(Fault::draining()),
        }
    }

    async fn run_inner(&self, instance: Instance<'_>) -> Ended {
        let mut ended = tokio::select! {
            // The function first: most end without ever having to listen for the cut.
            biased;
            ended = instance.invoke(&self.event, &self.context, &self.lines) => ended,
            () = self.cut.cancelled() => return cut_off().into(),
        };
        if ended.outcome.as_ref().is_ok_and(|reply| reply.len() > event::BYTES_MAX) {
            let message = format!("reply is larger than {} bytes", event::BYTES_MAX);
            ended.outcome = Err(Fault::new(InvocationFault::ReplyTooLarge, message));
        }
        ended
    }
}

/// Not 503, which promises that the function did not run.
fn cut_off() -> Fault {
    let message = "runner shut down before the function had ended";
    Fault::new(InvocationFault::ProcessExited, message)
}
