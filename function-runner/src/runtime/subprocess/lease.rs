//! One instance, taken for one invocation.

use std::sync::Arc;

use bytes::Bytes;
use functions::Context;
use shared::invocation::InvocationFault;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::pool::Pool;
use crate::invocation::{Fault, InstanceReport, Lines};

/// Permits one instance of a function to live.
pub(super) type Permit = OwnedSemaphorePermit;

/// How often an instance may turn out to have ended just when it got its event.
const ATTEMPTS: usize = 3;

/// An event for an instance, and where its outcome goes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) event: Bytes,
    pub(super) context: Context,
    pub(super) lines: Lines,
    pub(super) done: oneshot::Sender<Done>,
    pub(super) permit: Permit,
}

/// The outcome of a job.
#[derive(Debug)]
pub(super) enum Done {
    Ended(InstanceReport),
    /// The instance had ended already: the event did not reach it.
    NotRun(Permit),
}

/// An instance that is reserved for one invocation. Dropped, it waits for work again.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    held: Option<Held>,
}

/// The sender of jobs to an instance that waits for work.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) id: u64,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) permit: Permit,
}

impl Lease {
    pub(super) fn new(pool: Arc<Pool>, held: Held) -> Self {
        Self { pool, held: Some(held) }
    }

    /// Hands over the event.
    pub(crate) async fn invoke(
        mut self,
        event: &Bytes,
        context: &Context,
        lines: &Lines,
    ) -> InstanceReport {
        for _ in 0..ATTEMPTS {
            let Some(Held { jobs, permit, .. }) = self.held.take() else { break };
            let (done, outcome) = oneshot::channel();
            let (event, context, lines) = (event.clone(), context.clone(), lines.clone());
            let request_id = context.request_id.clone();
            let job = Job { event, context, lines, done, permit };
            let permit = match jobs.try_send(job) {
                Ok(()) => match outcome.await {
                    Ok(Done::Ended(ended)) => return ended,
                    Ok(Done::NotRun(permit)) => permit,
                    Err(_) => break,
                },
                Err(error) => error.into_inner().permit,
            };
            match self.pool.instance(permit, &request_id).await {
                Ok(held) => self.held = Some(held),
                Err(fault) => return fault.into(),
            }
        }
        Fault::new(InvocationFault::ProcessExited, "instance ended with the event").into()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(Held { id, jobs, permit }) = self.held.take() {
            self.pool.put_back(id, jobs);
            drop(permit);
        }
    }
}
