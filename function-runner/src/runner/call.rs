//! An admitted invocation that still lacks its event.

use std::sync::Arc;

use functions::Context;
use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    sync::OwnedSemaphorePermit,
    task::{JoinError, JoinHandle},
};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use tracing::Instrument;

use super::{Inner, Runner, detached::Detached, function::HeldFunction, invocation::Invocation};
use crate::invocation::{Fault, Lines, Order, Report};

/// A place among the invocations of the whole runner, and among those of the function. A shutdown
/// waits for it, and so does whoever replaces the function.
pub(crate) type Admission = (TaskTrackerToken, OwnedSemaphorePermit, TaskTrackerToken);

#[derive(Debug)]
pub(crate) struct Call {
    pub(super) runner: Runner,
    pub(super) function: Arc<HeldFunction>,
    pub(super) admission: Admission,
}

impl Call {
    /// Runs the function and waits for what comes of it.
    pub(crate) async fn run(self, order: Order) -> Report {
        match self.prepare(order) {
            Ok((invocation, tracker)) => Detached::new(invocation, tracker).await,
            Err(fault) => fault.into(),
        }
    }

    /// Starts the function in a task of its own.
    pub(crate) fn start(self, order: Order) -> Result<JoinHandle<Report>, Fault> {
        self.prepare(order).map(|(invocation, tracker)| tracker.spawn(invocation))
    }

    fn prepare(self, order: Order) -> Result<(BoxFuture<'static, Report>, TaskTracker), Fault> {
        let Self { runner, function, admission } = self;
        let Order { event, request_id, traceparent, caller, tail } = order;
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
        let invocation =
            Invocation { function, event, context, lines, caller, cut, place: admission };
        Ok((invocation.run().instrument(span).boxed(), admitted.clone()))
    }
}

/// What an invocation reports. Its task fails when a function panics while it is dropped: at its
/// deadline, or at the cut.
pub(crate) fn ended(joined: Result<Report, JoinError>) -> Report {
    joined.unwrap_or_else(|error| Fault::panicked(&error.to_string()).into())
}
