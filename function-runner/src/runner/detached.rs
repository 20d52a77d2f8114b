//! An invocation whose caller waits for it, and that does not end when the caller hangs up.
//!
//! Hanging up does not cancel the function. It may have pushed or stored half of its results, and
//! nobody else can know. So each event runs once and to its end, whether its caller waits or not.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::invocation::{Fault, InvocationReport};

/// Runs within the task of the caller: to wake another task would take longer than many functions
/// do. Dropped before the end, the invocation goes on in a task of its own.
pub(super) struct Detached {
    invocation: Option<BoxFuture<'static, InvocationReport>>,
    tracker: TaskTracker,
}

impl Detached {
    pub(super) fn new(
        invocation: BoxFuture<'static, InvocationReport>,
        tracker: TaskTracker,
    ) -> Self {
        // A function may also panic while it is dropped, at its deadline or when it is cut off.
        // The runtime does not catch that.
        let caught = AssertUnwindSafe(invocation).catch_unwind().map(|ended| {
            ended.unwrap_or_else(|_| Fault::panicked("while it was being dropped").into())
        });
        Self { invocation: Some(caught.boxed()), tracker }
    }
}

impl Future for Detached {
    type Output = InvocationReport;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<InvocationReport> {
        let Some(invocation) = &mut self.invocation else { return Poll::Pending };
        let report = invocation.poll_unpin(context);
        if report.is_ready() {
            self.invocation = None;
        }
        report
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        let Some(invocation) = self.invocation.take() else { return };
        // Without a tokio runtime the process is about to end.
        if let Ok(runtime) = Handle::try_current() {
            self.tracker.spawn_on(invocation, &runtime);
        }
    }
}
