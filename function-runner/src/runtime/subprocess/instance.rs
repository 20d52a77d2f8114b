//! One instance: the task that owns a child process, its runtime API and its output.
//!
//! It starts the child, gives it one event at a time, and ends it: when it is no longer needed,
//! when it broke a limit, or when it has ended itself.

mod start;
mod work;

use std::{io, panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use futures_util::FutureExt;
use shared::invocation::InvocationFault;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::{Instrument, debug, error, info_span};

use self::start::with_flaw;
use super::{
    api::RuntimeApi,
    child::ChildProcess,
    confinement::Confinement,
    exchange::Exchange,
    heap,
    lease::{Held, Permit, Warm},
    memory,
    output::Output,
    pool::{Place, Pool, code_changed},
    processes::Processes,
};
use crate::{invocation::Fault, settings::Language};

/// What resolves when the child has started, or failed to.
type Started = oneshot::Receiver<Result<(), Fault>>;

struct Instance {
    id: u64,
    pool: Arc<Pool>,
    child: ChildProcess,
    /// Ends when the processes take too much memory. It goes on from wait to wait: an instance that
    /// is never idle for long is looked at too.
    exceeds: Pin<Box<dyn Future<Output = ()> + Send>>,
    confinement: Confinement,
    output: Output,
    exchange: Arc<Exchange>,
    #[expect(dead_code, reason = "held, not read")]
    api: RuntimeApi,
    /// Whether it has answered an event.
    is_proven: bool,
    /// When the child has to ask for an event at the latest.
    asks_by: Instant,
}

/// Starts an instance for the invocation `cause`, if there is one, tells `started`, and works
/// until its end. Has `place` until then.
pub(super) async fn run(
    place: Place,
    permit: Permit,
    cause: Option<String>,
    started: oneshot::Sender<Result<Held, Fault>>,
) {
    let Place { pool, id } = &place;
    let name = &pool.limits.function_name;
    let span = info_span!("instance", function.name = name, instance.id = id);
    run_inner(pool, *id, permit, cause, started).instrument(span).await;
}

async fn run_inner(
    pool: &Arc<Pool>,
    id: u64,
    permit: Permit,
    cause: Option<String>,
    started: oneshot::Sender<Result<Held, Fault>>,
) {
    let begin = Instant::now();
    let (mut instance, outcome) = match Instance::open(pool, id).await {
        Ok(opened) => opened,
        Err(error) => {
            let message = format!("could not start {}: {error}", pool.program.command_line());
            let message = with_flaw(pool, message).await;
            let fault = Fault::new(InvocationFault::LoadFailed, message);
            pool.failed(&fault);
            let _ = started.send(Err(fault));
            return;
        }
    };
    let begun = AssertUnwindSafe(instance.started(outcome)).catch_unwind().await;
    let mut outcome = begun.unwrap_or_else(|_| {
        error!("the task of an instance has panicked: its process is killed");
        let message = "the runner failed while it waited for the start of the process";
        Err(Fault::new(InvocationFault::LoadFailed, message))
    });
    if pool.has_mixed() {
        outcome = Err(code_changed());
    }
    if let Err(fault) = outcome {
        if fault.kind != InvocationFault::Draining {
            pool.failed(&fault);
        }
        let _ = started.send(Err(fault));
        instance.child.kill().await;
        instance.confinement.lift().await;
        // Only now, so that there are never more processes than permits.
        drop(permit);
        return;
    }
    pool.lines_of_instance().started(cause.as_deref(), begin.elapsed());
    let (sender, mut jobs) = mpsc::channel(1);
    let exchange = Arc::clone(&instance.exchange);
    let warm = Warm { id, jobs: sender, exchange, since: Instant::now() };
    if let Err(Ok(Held { permit, .. })) = started.send(Ok(Held { warm: warm.clone(), permit })) {
        // The invocation has ended meanwhile. The instance is ready for the next one.
        pool.put_back(warm.clone());
        drop(permit);
    }
    if AssertUnwindSafe(instance.work(&mut jobs, warm)).catch_unwind().await.is_err() {
        error!("the task of an instance has panicked: its process is killed");
        instance.abandon(&mut jobs).await;
    }
    instance.confinement.lift().await;
    debug!("instance ended");
}

impl Instance {
    /// Opens the runtime API and starts the child.
    async fn open(pool: &Arc<Pool>, id: u64) -> io::Result<(Self, Started)> {
        let (exchange, outcome) = Exchange::new();
        let exchange = Arc::new(exchange);
        let is_ours = pool.program.has_our_bootstrap();
        let replies = pool.replies.clone();
        let pushes = pool.pushes.clone();
        let (led, tasks) = (pool.cloud.led.clone(), &pool.tasks);
        let api = RuntimeApi::open(Arc::clone(&exchange), replies, pushes, led, is_ours, tasks)?;
        let mut command = pool.program.command(&pool.limits, &api, &pool.cloud);
        let confinement =
            Confinement::new(&pool.program, &pool.limits, &pool.cloud, &mut command).await?;
        let (child, pipe) = match ChildProcess::spawn(command).await {
            Ok(spawned) => spawned,
            Err(error) => {
                confinement.lift().await;
                return Err(error);
            }
        };
        let processes = Processes::new(child.id(), confinement.processes_file());
        api.serve_to(processes.clone(), pool.program.user());
        let memory_limit = u64::from(pool.limits.memory_mb) << 20;
        let exceeds = Box::pin(memory::exceeds(processes, memory_limit));
        let output = Output::new(pipe, pool.lines_of_instance());
        let pool = Arc::clone(pool);
        let (is_proven, asks_by) = (false, Instant::now());
        Ok((
            Self {
                id,
                pool,
                child,
                exceeds,
                confinement,
                output,
                exchange,
                api,
                is_proven,
                asks_by,
            },
            outcome,
        ))
    }

    /// Waits for `what` and looks after the child meanwhile: reads its output, and notices when
    /// it ends or takes too much memory.
    async fn watch<T>(&mut self, what: impl Future<Output = T>) -> Result<T, Fault> {
        tokio::pin!(what);
        loop {
            tokio::select! {
                // An answer counts, even of a child that ended right after it; output comes
                // last, since a flood of it must not keep the others from being heard.
                biased;
                done = &mut what => return Ok(done),
                status = self.child.wait() => {
                    if self.confinement.is_out_of_memory() {
                        return Err(self.out_of_memory());
                    }
                    let is_abort = status.is_some_and(heap::is_abort);
                    if is_abort && self.may_be_javascript() && self.output.is_out_of_heap() {
                        return Err(self.out_of_heap());
                    }
                    let how = status.map_or_else(|| "unknown".to_owned(), |s| s.to_string());
                    let message = format!("process exited: {how}");
                    return Err(Fault::new(InvocationFault::ProcessExited, message));
                }
                () = &mut self.exceeds => return Err(self.out_of_memory()),
                () = self.output.pump() => {}
            }
        }
    }

    fn may_be_javascript(&self) -> bool {
        match self.pool.program.language {
            Language::Nodejs | Language::Custom => true,
            Language::Python3 => false,
        }
    }

    fn out_of_memory(&self) -> Fault {
        let limit_mb = self.pool.limits.memory_mb;
        let message = format!("function used more than its {limit_mb} MB of memory");
        Fault::new(InvocationFault::OutOfMemory, message)
    }

    fn out_of_heap(&self) -> Fault {
        let limit_mb = self.pool.limits.memory_mb;
        let message =
            format!("JavaScript heap out of memory; the function has {limit_mb} MB of memory");
        Fault::new(InvocationFault::OutOfMemory, message)
    }
}
