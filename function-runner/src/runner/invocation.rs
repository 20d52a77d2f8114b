//! Runs one admitted invocation: gets an instance, checks the size of the reply, writes log lines.

use std::sync::Arc;

use bytes::Bytes;
use functions::Context;
use shared::invocation::{Disposition, InvocationFault};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{admission::Admission, function::HeldFunction};
use crate::{
    invocation::{Fault, InstanceReport, InvocationReport, Lines, ReplyTo, event},
    runtime::LeasedInstance,
};

/// An invocation that is about to run.
pub(crate) struct Invocation {
    pub(crate) function: Arc<HeldFunction>,
    pub(crate) event: Bytes,
    pub(crate) context: Context,
    pub(crate) lines: Lines,
    pub(crate) reply_to: ReplyTo,
    /// Cancelled when the runner cannot wait any longer.
    pub(crate) cut: CancellationToken,
    /// Dropped when the function has ended, whether the caller still waits or not.
    pub(crate) admission: Admission,
}

impl Invocation {
    /// Runs the function and logs the lines that SCF logs. A function that did not run is not
    /// logged, because the caller is answered so; it is logged if there is no caller.
    pub(crate) async fn run(self) -> InvocationReport {
        let instance = match self.lease().await {
            Err(fault) if fault.kind.disposition() == Disposition::NotRun => {
                if self.reply_to == ReplyTo::Nobody {
                    self.lines.not_run(&self.context, &fault);
                }
                return fault.into();
            }
            leased => leased,
        };
        if instance.is_ok() {
            self.admission.running.set(self.function.longest_run());
        }
        self.lines.start(&self.context);
        let start = Instant::now();
        let ended = match instance {
            Ok(instance) => self.run_inner(instance).await,
            Err(fault) => fault.into(),
        };
        let duration = start.elapsed();
        self.lines.end(&self.context, duration, &ended);
        let InstanceReport { outcome, memory_peak } = ended;
        InvocationReport { outcome, duration, memory_peak }
    }

    async fn lease(&self) -> Result<LeasedInstance<'_>, Fault> {
        tokio::select! {
            biased;
            leased = self.function.runtime.lease(&self.context) => leased,
            () = self.cut.cancelled() => Err(Fault::draining()),
        }
    }

    /// Gives the event to `instance`. If the event did not run there, it goes to another instance,
    /// for as long as an event may wait for one.
    async fn run_inner(&self, mut instance: LeasedInstance<'_>) -> InstanceReport {
        let deadline = Instant::now() + self.context.time_limit;
        loop {
            let invoked = instance.invoke(&self.event, &self.context, &self.lines, &self.cut).await;
            let not_run = match invoked {
                Ok(ended) => return checked(ended),
                Err(not_run) => not_run,
            };
            let leased = tokio::select! {
                biased;
                () = self.cut.cancelled() => Err(Fault::draining()),
                leased = not_run.lease(&self.context, deadline) => leased,
            };
            instance = match leased {
                Ok(lease) => LeasedInstance::Subprocess(lease),
                Err(fault) => return fault.into(),
            };
        }
    }
}

fn checked(mut ended: InstanceReport) -> InstanceReport {
    if ended.outcome.as_ref().is_ok_and(|reply| reply.len() > event::BYTES_MAX) {
        let message = format!("reply is larger than {} bytes", event::BYTES_MAX);
        ended.outcome = Err(Fault::new(InvocationFault::ReplyTooLarge, message));
    }
    ended
}
