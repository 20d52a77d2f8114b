//! The working life of an instance: one job after the other, until there is a reason to end.

use std::time::SystemTime;

use daemon::time::milliseconds;
use shared::invocation::InvocationFault;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};
use tracing::warn;

use super::Instance;
use crate::{
    invocation::{Fault, InstanceReport},
    runtime::subprocess::{
        exchange::{ChildReply, NextEvent},
        lease::{Done, Job, Permit},
        memory,
    },
};

/// What an idle instance does next.
enum Next {
    Work(Job),
    /// Nothing has come for long.
    CoolDown,
    Stop,
}

/// The state of the child after an event.
enum ChildState {
    /// The child can take another event.
    Ready,
    /// The child has ended, or still works on an event whose time has passed. It must be ended.
    Unusable(Permit),
    /// The child uses more memory than it may. It must be killed at once.
    OutOfMemory(Permit),
}

impl Instance {
    /// Runs until the instance is no longer needed, then ends the child. `line` sends jobs to `jobs`.
    pub(super) async fn work(&mut self, mut jobs: mpsc::Receiver<Job>, line: mpsc::Sender<Job>) {
        loop {
            match self.next(&mut jobs).await {
                Ok(Next::Work(job)) => match self.handle(job, &line).await {
                    ChildState::Ready => {}
                    ChildState::Unusable(permit) => {
                        self.child.end().await;
                        return drop(permit);
                    }
                    ChildState::OutOfMemory(permit) => {
                        self.child.kill().await;
                        return drop(permit);
                    }
                },
                Ok(Next::CoolDown) if !self.pool.retire(self.id) => {}
                Ok(Next::CoolDown | Next::Stop) => break,
                Err(fault) => {
                    self.died(&fault);
                    break;
                }
            }
        }
        self.pool.forget(self.id);
        refuse(&mut jobs);
        self.child.end().await;
        self.output.finish();
    }

    async fn next(&mut self, jobs: &mut mpsc::Receiver<Job>) -> Result<Next, Fault> {
        let cold = Instant::now() + self.pool.limits.idle_after;
        let stop = self.pool.stop.clone();
        self.watch(async {
            tokio::select! {
                biased;
                job = jobs.recv() => job.map_or(Next::Stop, Next::Work),
                () = stop.cancelled() => Next::Stop,
                () = sleep_until(cold) => Next::CoolDown,
            }
        })
        .await
    }

    /// It ended, or had to be ended, without an event in hand.
    fn died(&mut self, fault: &Fault) {
        self.output.finish();
        if self.is_proven {
            warn!(error = fault.message(), "idle instance ended");
        } else {
            self.pool.failed(fault);
        }
    }

    /// Gives the child the event, waits for the answer, and passes it on.
    async fn handle(&mut self, job: Job, line: &mpsc::Sender<Job>) -> ChildState {
        let Job { event, context, lines, mut done, permit } = job;
        self.output.begin(lines);
        let limit = context.time_limit;
        let deadline_ms = (SystemTime::now() + limit)
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, milliseconds);
        let answered = self.exchange.put(NextEvent { event, context, deadline_ms });
        let outcome = self
            .watch(async {
                tokio::select! {
                    biased;
                    answer = answered => answer.unwrap_or_else(|_| Err(Fault::draining())),
                    () = sleep(limit) => Err(Fault::timed_out(limit)),
                    // Nobody waits for it any longer: the runner cut it off.
                    () = done.closed() => Err(Fault::draining()),
                }
            })
            .await
            .flatten();
        self.output.finish();
        let memory_peak = memory::peak(self.child.id());
        let child = self.judge(&outcome, permit, line);
        let _ = done.send(Done::Ended(InstanceReport { outcome, memory_peak }));
        child
    }

    /// Whether the child can take another event; if so, the child and its permit are free.
    fn judge(
        &mut self,
        outcome: &ChildReply,
        permit: Permit,
        line: &mpsc::Sender<Job>,
    ) -> ChildState {
        match outcome.as_ref().map_err(|fault| fault.kind) {
            Err(InvocationFault::OutOfMemory) => return ChildState::OutOfMemory(permit),
            Err(
                InvocationFault::TimedOut
                | InvocationFault::ProcessExited
                | InvocationFault::Draining,
            ) => return ChildState::Unusable(permit),
            Ok(_) | Err(_) => {}
        }
        self.is_proven = true;
        self.pool.succeeded();
        self.pool.put_back(self.id, line.clone());
        drop(permit);
        ChildState::Ready
    }
}

/// Refuses the jobs that arrived while the instance ended.
fn refuse(jobs: &mut mpsc::Receiver<Job>) {
    jobs.close();
    while let Ok(Job { done, permit, .. }) = jobs.try_recv() {
        let _ = done.send(Done::NotRun(permit));
    }
}
