//! The instances of one function: which invocations wait, which instances are warm, and when to
//! start another.
//!
//! There are as many permits as there may be instances. An invocation that has a permit takes a
//! warm instance, the one used last, so that the others can cool down. If none is warm, it starts
//! one. So there are never more instances than permits.

mod queue;
mod warm;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use daemon::{body::BodyMemory, reload::Trigger, time::milliseconds};
use functions::Context;
use shared::invocation::InvocationFault;
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Span, warn};

use self::queue::Queue;
use super::{
    backoff::StartBackoff,
    child_cloud::ChildCloud,
    code::Code,
    instance,
    lease::{Held, Lease, Permit, Warm},
    limits::Limits,
    program::Program,
};
use crate::{
    invocation::{Fault, Lines, RecentLines},
    push::Pushes,
};

/// Longer than an instance takes to end, whatever its process does.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) program: Program,
    pub(super) limits: Limits,
    code: Code,
    lines: RecentLines,
    /// The memory for replies that are being read, of all functions.
    pub(super) replies: BodyMemory,
    /// Passes pushes of the children on.
    pub(super) pushes: Pushes,
    /// What the children have of the cloud.
    pub(super) cloud: ChildCloud,
    queue: Queue,
    state: Mutex<State>,
    /// An instance has ended.
    ended: Notify,
    /// An instance waits for work, or has ended.
    freed: Notify,
    /// All instances, and their runtime APIs.
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    /// Whether a new function has replaced this one. Then no idle instance is needed any more.
    is_retired: AtomicBool,
}

/// Counts an instance that lives, its process too. Dropped by the task of the instance at its end,
/// whether the task has ended, panicked, or was cancelled.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) pool: Arc<Pool>,
    /// The number of the instance.
    pub(super) id: u64,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Warm>,
    /// Instances that live, idle or not.
    count: usize,
    next_id: u64,
    backoff: StartBackoff,
}

impl State {
    /// The instance used last, so that the others can cool down; but not one whose child does
    /// something else since its reply.
    fn take_idle(&mut self) -> Option<Warm> {
        let prompt = self.idle.iter().rposition(Warm::is_prompt);
        let index = prompt.or_else(|| self.idle.len().checked_sub(1))?;
        Some(self.idle.remove(index))
    }
}

impl Pool {
    pub(super) fn new(
        program: Program,
        limits: Limits,
        lines: RecentLines,
        replies: BodyMemory,
        pushes: Pushes,
        cloud: ChildCloud,
    ) -> Self {
        Self {
            code: Code::new(&program.code, &program.folder),
            program,
            lines,
            replies,
            pushes,
            cloud,
            queue: Queue::new(limits.max_instances),
            limits,
            state: Mutex::default(),
            ended: Notify::new(),
            freed: Notify::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            is_retired: AtomicBool::new(false),
        }
    }

    /// Where lines go that belong to no invocation, from within the span of an instance.
    pub(super) fn lines_of_instance(&self) -> Lines {
        Lines::of_instance(Span::current(), self.lines.clone())
    }

    pub(super) fn busy(&self) -> usize {
        self.queue.taken()
    }

    /// Waits for a permit, then takes a warm instance or starts one.
    pub(super) async fn lease(self: &Arc<Self>, context: &Context) -> Result<Lease, Fault> {
        let permit = self.queue.permit(self.limits.timeout).await?;
        let held = self.instance(permit, &context.request_id).await?;
        Ok(Lease::new(Arc::clone(self), held))
    }

    /// Starts an instance and has it wait for work.
    pub(super) async fn probe(self: &Arc<Self>) -> Result<(), Fault> {
        let permit = self.queue.permit(self.limits.timeout).await?;
        self.add(permit).await
    }

    async fn add(self: &Arc<Self>, permit: Permit) -> Result<(), Fault> {
        let held = self.start(permit, None).await?;
        drop(Lease::new(Arc::clone(self), held));
        Ok(())
    }

    /// A warm instance, or a new one for the invocation `request_id`. While none can be started, an
    /// invocation waits for those that live.
    pub(super) async fn instance(
        self: &Arc<Self>,
        permit: Permit,
        request_id: &str,
    ) -> Result<Held, Fault> {
        let warm = self.state().take_idle();
        if let Some(warm) = warm {
            return Ok(Held { warm, permit });
        }
        match self.start(permit, Some(request_id)).await {
            Err(fault) => self.wait_for_instance(fault, request_id).await,
            started => started,
        }
    }

    /// Starts an instance. While starting fails again and again, most attempts are refused with
    /// the last failure.
    async fn start(
        self: &Arc<Self>,
        permit: Permit,
        request_id: Option<&str>,
    ) -> Result<Held, Fault> {
        let place = {
            let mut state = self.state();
            if let Some((_, fault)) = state.backoff.pause(Instant::now()) {
                return Err(fault);
            }
            if self.would_mix(state.count) {
                return Err(code_changed());
            }
            state.count += 1;
            state.next_id += 1;
            Place { pool: Arc::clone(self), id: state.next_id }
        };
        let (started, outcome) = oneshot::channel();
        let cause = request_id.map(str::to_owned);
        self.tasks.spawn(instance::run(place, permit, cause, started));
        outcome.await.unwrap_or_else(|_| Err(Fault::draining()))
    }

    /// Waits for one of the instances that live, since another did not start for `fault`. While
    /// there is none, that is the answer, unless the code has changed: instances that started at
    /// once have given up because of each other then, and one may start alone.
    async fn wait_for_instance(
        self: &Arc<Self>,
        fault: Fault,
        request_id: &str,
    ) -> Result<Held, Fault> {
        let (first, mut fault) = (fault.clone(), fault);
        // An instance that another invocation starts meanwhile may take its whole time.
        let deadline = Instant::now() + self.limits.init_timeout + self.limits.timeout;
        loop {
            let permit = self.queue.permit(self.limits.timeout).await?;
            match timeout_at(deadline, self.warm_or_none()).await {
                Ok(Some(warm)) => return Ok(Held { warm, permit }),
                Ok(None) if fault == code_changed() => {}
                Ok(None) => return Err(fault),
                Err(_) => return Err(first),
            }
            match self.start(permit, Some(request_id)).await {
                Err(next) => fault = next,
                started => return started,
            }
        }
    }

    /// The next instance that waits for work. None if no instance lives.
    async fn warm_or_none(&self) -> Option<Warm> {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            {
                let mut state = self.state();
                let warm = state.take_idle();
                if warm.is_some() || state.count == 0 {
                    return warm;
                }
            }
            freed.await;
        }
    }

    /// Whether another instance may have other code than the `living` ones. It is not used then:
    /// only a reload takes new code into use.
    fn would_mix(&self, living: usize) -> bool {
        living > 0 && self.code.may_differ()
    }

    /// Whether the instance that has just started may have other code than the others.
    pub(super) fn has_mixed(&self) -> bool {
        let others = self.state().count - 1;
        self.would_mix(others)
    }

    /// Whether the code is no longer what instances were started from. Looks at all its files, and
    /// at SIGHUP at data behind its links too.
    pub(super) fn code_differs(&self, trigger: Trigger) -> bool {
        let differs = self.code.differs(trigger);
        // Instances may be wanted that could not be started until now.
        self.ended.notify_one();
        differs
    }

    /// An instance waits for work again.
    pub(super) fn put_back(&self, warm: Warm) {
        self.state().idle.push(Warm { since: Instant::now(), ..warm });
        self.freed.notify_waiters();
    }

    /// Takes the instance `id` out of those that wait for work, if it waits and is not needed. An
    /// instance is needed while no other may be started instead.
    pub(super) fn retire(&self, id: u64) -> bool {
        let mut state = self.state();
        let is_needed = state.count <= self.limits.min_instances || self.code.may_differ();
        if is_needed && !self.is_retired.load(Ordering::Relaxed) {
            return false;
        }
        let index = state.idle.iter().position(|idle| idle.id == id);
        index.map(|index| state.idle.remove(index)).is_some()
    }

    /// The instance `id` ends: it gets no more events.
    pub(super) fn forget(&self, id: u64) {
        self.state().idle.retain(|idle| idle.id != id);
    }

    /// A new function has replaced this one.
    pub(super) fn give_way(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
    }

    /// An instance failed before it did anything.
    pub(super) fn failed(&self, fault: &Fault) {
        let pause = self.state().backoff.failed(Instant::now(), fault.clone());
        let name = &self.limits.function_name;
        let pause_ms = milliseconds(pause);
        let error = fault.message();
        warn!(
            function.name = name,
            pause_ms,
            error,
            "instance of {name} failed: next start in {pause_ms} ms at the earliest"
        );
    }

    /// An instance answered an event.
    pub(super) fn succeeded(&self) {
        self.state().backoff.succeeded();
    }

    /// Ends all instances and waits until they have ended. Each takes a bounded time. A process
    /// that keeps a connection to its runtime API open for longer is not waited for.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        if timeout(STOP_TIMEOUT, self.tasks.wait()).await.is_err() {
            warn!(function.name = self.limits.function_name, "some instances did not end in time");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with the lock held")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pool.forget(self.id);
        self.pool.state().count -= 1;
        self.pool.ended.notify_one();
        self.pool.freed.notify_waiters();
    }
}

/// The event was not handed to an instance. The caller may repeat it a moment later.
pub(super) fn code_changed() -> Fault {
    Fault::new(InvocationFault::Draining, "the code of the function is being changed")
}
