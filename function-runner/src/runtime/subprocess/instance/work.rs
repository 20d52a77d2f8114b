//! The working life of an instance: one job after the other, until there is a reason to end.

use std::{future, sync::Arc, time::Duration};

use shared::invocation::InvocationFault;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout_at},
};
use tracing::warn;

use super::Instance;
use crate::{
    invocation::{Fault, InstanceReport},
    runtime::subprocess::{
        exchange::{ChildReply, Exchange, NextEvent},
        lease::{Done, Job, Warm},
        memory,
    },
};

/// How long a child may take to ask for an event that waits, at least.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(1);

/// What an idle instance does next.
enum Next {
    Work(Job),
    /// Nothing has come for long.
    CoolDown,
    Stop,
    /// The child does not ask for events.
    Silent,
}

/// Whether the child can take another event.
enum ChildState {
    Ready,
    Ended,
}

impl Instance {
    /// Runs until the instance is no longer needed, then ends the child. `warm` sends jobs to
    /// `jobs`.
    pub(super) async fn work(&mut self, jobs: &mut mpsc::Receiver<Job>, warm: Warm) {
        self.expect_question();
        loop {
            match self.next(jobs).await {
                Ok(Next::Work(job)) => match self.handle(job, &warm).await {
                    ChildState::Ready => {}
                    ChildState::Ended => return,
                },
                Ok(Next::CoolDown) if !self.pool.retire(self.id) => {}
                Ok(Next::CoolDown | Next::Stop) => break,
                Ok(Next::Silent) => {
                    self.died(&silent(self.pool.limits.timeout));
                    break;
                }
                Err(fault) => {
                    self.died(&fault);
                    self.end_child(&Err(fault)).await;
                    break;
                }
            }
        }
        self.pool.forget(self.id);
        jobs.close();
        self.child.end().await;
        self.output.finish();
        give_back(jobs).await;
    }

    /// The work has panicked. The event in hand, if there is one, has lost its sender, so its
    /// caller is told that the instance has ended.
    pub(super) async fn abandon(&mut self, jobs: &mut mpsc::Receiver<Job>) {
        self.pool.forget(self.id);
        jobs.close();
        self.child.kill().await;
        give_back(jobs).await;
    }

    /// From now on the child has as much time to ask for an event as it has for an event.
    fn expect_question(&mut self) {
        self.asks_by = Instant::now() + self.pool.limits.timeout;
    }

    async fn next(&mut self, jobs: &mut mpsc::Receiver<Job>) -> Result<Next, Fault> {
        let cold = Instant::now() + self.pool.limits.idle_after;
        let stop = self.pool.stop.clone();
        let silent = silence(Arc::clone(&self.exchange), self.asks_by);
        self.watch(async {
            tokio::select! {
                biased;
                job = jobs.recv() => job.map_or(Next::Stop, Next::Work),
                () = stop.cancelled() => Next::Stop,
                () = silent => Next::Silent,
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
            self.pool.failed(&unproven(fault));
        }
    }

    /// Gives the child the event, waits for the answer, and passes it on.
    async fn handle(&mut self, job: Job, warm: &Warm) -> ChildState {
        let Job { event, context, lines, cut, mut done, permit } = job;
        self.output.begin(lines);
        let limit = context.time_limit;
        let mut answered = self.exchange.put(NextEvent { event, context });
        let asks_by = self.asks_by.max(Instant::now() + QUESTION_TIMEOUT);
        let overtime = overtime(Arc::clone(&self.exchange), asks_by, limit);
        let outcome = self
            .watch(async {
                tokio::select! {
                    biased;
                    answer = &mut answered => answer.unwrap_or_else(|_| Err(Fault::draining())),
                    () = cut.cancelled() => Err(Fault::cut_off()),
                    // Nobody waits for it any longer.
                    () = done.closed() => Err(Fault::cut_off()),
                    fault = overtime => Err(fault),
                }
            })
            .await
            .flatten();
        self.output.finish();
        let memory_peak = memory::peak(self.child.id());
        let report = |outcome| Done::Ended(InstanceReport { outcome, memory_peak });
        if !is_unusable(&outcome) {
            self.is_proven = true;
            self.expect_question();
            self.pool.succeeded();
            self.pool.put_back(warm.clone());
            drop(permit);
            let _ = done.send(report(outcome));
            return ChildState::Ready;
        }
        let was_given = self.exchange.withdraw();
        if cut.is_cancelled() {
            // The runner does not wait for the end of the child.
            let done_with = if was_given { report(outcome) } else { Done::NotRun(permit, None) };
            let _ = done.send(done_with);
            self.child.end().await;
            return ChildState::Ended;
        }
        self.end_child(&outcome).await;
        if was_given {
            self.exchange.taken().await;
        }
        if let Ok(late) = answered.try_recv() {
            // A process that is killed for its memory breaks its reply off.
            let of_memory = |fault: &Fault| fault.kind == InvocationFault::OutOfMemory;
            let says_more = late.is_ok() || !outcome.as_ref().is_err_and(of_memory);
            let _ = done.send(report(if says_more { late } else { outcome }));
        } else if was_given && self.exchange.was_read() {
            let _ = done.send(report(outcome));
        } else {
            self.not_run(&outcome);
            let _ = done.send(Done::NotRun(permit, outcome.err()));
        }
        ChildState::Ended
    }

    async fn end_child(&mut self, outcome: &ChildReply) {
        match outcome.as_ref().map_err(|fault| fault.kind) {
            // At once: asking would take the memory of the machine.
            Err(InvocationFault::OutOfMemory) => self.child.kill().await,
            Ok(_) | Err(_) => self.child.end().await,
        }
    }

    /// The child has ended, and has not read the event.
    fn not_run(&self, outcome: &ChildReply) {
        let Err(fault) = outcome else { return };
        if self.is_proven {
            warn!(error = fault.message(), "instance ended: its event goes to another one");
        } else {
            self.pool.failed(&unproven(fault));
        }
    }
}

/// Gives back the jobs in `jobs`, which is closed: the child has not got them. Only when it has
/// ended, so that there are never more processes than permits. Waits for a sender that is about to
/// put one there, which takes no time: `try_recv` would take the channel for empty, and the job
/// would be lost.
async fn give_back(jobs: &mut mpsc::Receiver<Job>) {
    while let Some(Job { done, permit, .. }) = jobs.recv().await {
        let _ = done.send(Done::NotRun(permit, None));
    }
}

/// Whether the child has ended, or has to be ended: it still works on an event whose time has
/// passed, or uses too much memory.
fn is_unusable(outcome: &ChildReply) -> bool {
    match outcome.as_ref().map_err(|fault| fault.kind) {
        Err(
            InvocationFault::OutOfMemory
            | InvocationFault::TimedOut
            | InvocationFault::ProcessExited
            | InvocationFault::Draining,
        ) => true,
        Ok(_) | Err(_) => false,
    }
}

/// Ends when the child has not asked for an event by `asks_by`.
async fn silence(exchange: Arc<Exchange>, asks_by: Instant) {
    if timeout_at(asks_by, exchange.asking()).await.is_ok() {
        future::pending::<()>().await;
    }
}

/// Ends when the child has not asked for its event by `asks_by`, or has had it for `limit`.
async fn overtime(exchange: Arc<Exchange>, asks_by: Instant, limit: Duration) -> Fault {
    if timeout_at(asks_by, exchange.given()).await.is_err() {
        return silent(limit);
    }
    sleep(limit).await;
    Fault::timed_out(limit)
}

fn silent(limit: Duration) -> Fault {
    let seconds = limit.as_secs_f64();
    let message = format!(
        "process did not ask for an event within {seconds} seconds: code of the function may have \
         changed what its bootstrap uses"
    );
    Fault::new(InvocationFault::TimedOut, message)
}

/// Why an instance cannot be started, if the last one ended for `fault` before it had answered an
/// event. Those that are told this did not run.
fn unproven(fault: &Fault) -> Fault {
    let message = format!("instance ended before it answered an event: {}", fault.message());
    Fault::new(InvocationFault::LoadFailed, message)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bytes::Bytes;
    use functions::Context;
    use futures_util::FutureExt;
    use tokio::sync::{Semaphore, mpsc, oneshot};
    use tokio_util::sync::CancellationToken;
    use tracing::Span;

    use super::{Done, Job, give_back};
    use crate::invocation::{Lines, RecentLines};

    #[tokio::test]
    async fn a_job_that_is_being_sent_while_the_instance_ends_did_not_run() {
        let (done, outcome) = oneshot::channel();
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let job = Job {
            event: Bytes::from_static(b"{}"),
            context: Context {
                request_id: String::new(),
                function_name: String::new(),
                memory_limit_mb: 128,
                time_limit: Duration::from_secs(3),
                traceparent: None,
            },
            lines: Lines::of_instance(Span::none(), RecentLines::of_function()),
            cut: CancellationToken::new(),
            done,
            permit,
        };
        let (sender, mut jobs) = mpsc::channel(1);
        let sending = sender.reserve().await.unwrap();
        jobs.close();
        let mut giving_back = Box::pin(give_back(&mut jobs));
        assert!(giving_back.as_mut().now_or_never().is_none());
        sending.send(job);
        giving_back.await;
        assert!(matches!(outcome.await, Ok(Done::NotRun(_, None))));
    }
}
