//! An invocation that its caller waits for, and that goes on without it.
//!
//! A caller that hangs up does not cancel the function. It may have pushed or stored half of what
//! it has to, and from outside nobody can tell. The caller is told what happened or hears nothing;
//! either way the event has run once and to its end.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::invocation::{Fault, Report};

/// Runs within the task of the caller, for waking another one would take longer than many a
/// function. What has not ended when it is dropped goes on in a task of its own.
pub(super) struct Detached {
    invocation: Option<BoxFuture<'static, Report>>,
    tracker: TaskTracker,
}

impl Detached {
    pub(super) fn new(invocation: BoxFuture<'static, Report>, tracker: TaskTracker) -> Self {
        // A function panics where nobody catches it when it is dropped: at its deadline, or at
        // the cut.
        let caught = AssertUnwindSafe(invocation).catch_unwind().map(|ended| {
            ended.unwrap_or_else(|_| Fault::panicked("while it was being dropped").into())
        });
        Self { invocation: Some(caught.boxed()), tracker }
    }
}

impl Future for Detached {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Report> {
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
        // Without a runtime the process is about to end.
        if let Ok(runtime) = Handle::try_current() {
            self.tracker.spawn_on(invocation, &runtime);
        }
    }
}
