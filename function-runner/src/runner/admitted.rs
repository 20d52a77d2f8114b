//! An invocation that is admitted, and whose event is not read yet.

use std::sync::Arc;

use functions::Context;
use futures_util::{FutureExt, future::BoxFuture};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::{
    Inner, Runner, admission::Admission, detached::Detached, function::HeldFunction,
    invocation::Invocation,
};
use crate::invocation::{Fault, InvocationReport, InvocationRequest, Lines};

#[derive(Debug)]
pub(crate) struct Admitted {
    pub(super) runner: Runner,
    pub(super) function: Arc<HeldFunction>,
    pub(super) admission: Admission,
}

impl Admitted {
    /// Runs the function and waits for its report.
    pub(crate) async fn run(self, request: InvocationRequest) -> InvocationReport {
        match self.prepare(request) {
            Ok((invocation, tracker)) => Detached::new(invocation, tracker).await,
            Err(fault) => fault.into(),
        }
    }

    /// Starts the function in a task of its own.
    pub(crate) fn start(
        self,
        request: InvocationRequest,
    ) -> Result<JoinHandle<InvocationReport>, Fault> {
        self.prepare(request).map(|(invocation, tracker)| tracker.spawn(invocation))
    }

    fn prepare(
        self,
        request: InvocationRequest,
    ) -> Result<(BoxFuture<'static, InvocationReport>, TaskTracker), Fault> {
        let Self { runner, function, admission } = self;
        let InvocationRequest { event, request_id, traceparent, reply_to, tail } = request;
        let Inner { admitted, cut, .. } = &*runner.0;
        if cut.is_cancelled() {
            return Err(Fault::draining());
        }
        let context = Context {
            request_id,
            function_name: function.settings.name.clone(),
            memory_limit_mb: function.settings.memory_mb,
            time_limit: function.settings.timeout,
            traceparent,
        };
        let lines = Lines::of_invocation(&context, function.lines.clone(), tail);
        let span = lines.span();
        let cut = cut.clone();
        let invocation = Invocation { function, event, context, lines, reply_to, cut, admission };
        Ok((invocation.run().instrument(span).boxed(), admitted.clone()))
    }
}

/// The report of an invocation that ran in a task. The task fails if a function panics while it is
/// dropped: at its deadline, or when it is cut off.
pub(crate) fn report_of(joined: Result<InvocationReport, JoinError>) -> InvocationReport {
    joined.unwrap_or_else(|error| Fault::panicked(&error.to_string()).into())
}
