//! One instance, taken for one invocation.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use functions::Context;
use shared::invocation::InvocationFault;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{exchange::Exchange, pool::Pool};
use crate::invocation::{Fault, InstanceReport, Lines};

/// Permits one instance of a function to live.
pub(super) type Permit = OwnedSemaphorePermit;

/// A child asks for its next event within this time after a reply, or it does something else first.
const PROMPT: Duration = Duration::from_millis(100);

/// An event for an instance, and where its outcome goes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) event: Bytes,
    pub(super) context: Context,
    pub(super) lines: Lines,
    /// Cancelled when the runner cannot wait any longer.
    pub(super) cut: CancellationToken,
    pub(super) done: oneshot::Sender<Done>,
    pub(super) permit: Permit,
}

/// The outcome of a job.
#[derive(Debug)]
pub(super) enum Done {
    Ended(InstanceReport),
    /// The child has certainly not read the event.
    NotRun(Permit, Option<Fault>),
}

/// An instance that waits for work.
#[derive(Debug, Clone)]
pub(super) struct Warm {
    pub(super) id: u64,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) exchange: Arc<Exchange>,
    /// Since when the instance waits.
    pub(super) since: Instant,
}

/// An instance that is reserved for one invocation. Dropped, it waits for work again.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    held: Option<Held>,
}

/// An instance that waits for work, and the permit to give it some.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) warm: Warm,
    pub(super) permit: Permit,
}

/// An event that did not run. Its permit puts it in front of all that wait for one.
#[derive(Debug)]
pub(crate) struct NotRun {
    pool: Arc<Pool>,
    permit: Permit,
    /// Why the instance has not taken it, if that is known.
    why: Option<Fault>,
}

impl Warm {
    /// Whether the child is expected to take an event at once.
    pub(super) fn is_prompt(&self) -> bool {
        self.exchange.is_asking() || self.since.elapsed() < PROMPT
    }
}

impl Lease {
    /// How long an event may take once it has a lease, if the function may run for `time_limit`. It
    /// may go to another instance within the first of these times. There it may wait for the child
    /// to ask for it, and then run.
    pub(crate) fn longest(time_limit: Duration) -> Duration {
        3 * time_limit
    }

    pub(super) fn new(pool: Arc<Pool>, held: Held) -> Self {
        Self { pool, held: Some(held) }
    }

    /// Hands over the event. Ends soon after `cut`.
    pub(crate) async fn invoke(
        mut self,
        event: &Bytes,
        context: &Context,
        lines: &Lines,
        cut: &CancellationToken,
    ) -> Result<InstanceReport, NotRun> {
        let Some(Held { warm, permit }) = self.held.take() else { return Ok(lost()) };
        let (done, outcome) = oneshot::channel();
        let (event, context, lines) = (event.clone(), context.clone(), lines.clone());
        let job = Job { event, context, lines, cut: cut.clone(), done, permit };
        let (permit, why) = match warm.jobs.try_send(job) {
            Ok(()) => match outcome.await {
                Ok(Done::Ended(ended)) => return Ok(ended),
                Ok(Done::NotRun(permit, why)) => (permit, why),
                Err(_) => return Ok(lost()),
            },
            Err(error) => (error.into_inner().permit, None),
        };
        Err(NotRun { pool: Arc::clone(&self.pool), permit, why })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(Held { warm, permit }) = self.held.take() {
            self.pool.put_back(warm);
            drop(permit);
        }
    }
}

impl NotRun {
    /// Another instance, if there is one before `deadline`. One that starts more slowly is for
    /// later events.
    pub(crate) async fn lease(self, context: &Context, deadline: Instant) -> Result<Lease, Fault> {
        if Instant::now() >= deadline {
            return Err(too_late(self.why.as_ref()));
        }
        let held = self.pool.instance(self.permit, &context.request_id);
        let held = timeout_at(deadline, held).await.map_err(|_| too_late(self.why.as_ref()))??;
        Ok(Lease::new(self.pool, held))
    }
}

fn too_late(why: Option<&Fault>) -> Fault {
    let mut message = "no instance of the function took the event in time".to_owned();
    if let Some(why) = why {
        message += "; the last one ended before: ";
        message += why.message();
    }
    Fault::new(InvocationFault::ConcurrencyExceeded, message)
}

/// The task of the instance has failed.
fn lost() -> InstanceReport {
    Fault::new(InvocationFault::ProcessExited, "instance ended with the event").into()
}
