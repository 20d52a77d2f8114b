//! The runner: which functions there are, how much may run at once, and the way down.

use std::{collections::HashMap, sync::Arc, time::Duration};

use daemon::serve::{ServeSettings, serve};
use functions::Context;
use futures_util::future::join_all;
use serde_json::Value;
use shared::invocation::InvocationFault;
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tracing::{Instrument, info, warn};

use crate::{
    fault::Fault,
    function::HeldFunction,
    invocation::{Invocation, Order, Report},
    lines::Lines,
    logs::Followers,
    recent::RecentLines,
    routes,
    settings::{FunctionSettings, SecretPair, Settings},
};

/// Longer than HTTP clients keep pooled connections, 90 s for the gateway's: the end that closes
/// first must not be the one that does not know whether a request is on its way.
const SERVE: ServeSettings = ServeSettings {
    head_timeout: Duration::from_secs(120),
    connections_max: 16_384,
    linger: Duration::from_millis(500),
};
/// What has been cut off, and answers on their way out, have this long.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The functions, started. A handle: clones are the same runner.
#[derive(Debug, Clone)]
pub struct Runner(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    functions: HashMap<String, Arc<HeldFunction>>,
    free_places: Arc<Semaphore>,
    /// All that is admitted. Closed means draining.
    admitted: TaskTracker,
    /// Ends the functions that a shutdown cannot wait for.
    cut: CancellationToken,
    drain_timeout: Duration,
    followers: Followers,
    secret: Option<SecretPair>,
}

/// A place among the invocations of the whole runner. A shutdown waits for it.
pub(crate) type Admission = (TaskTrackerToken, OwnedSemaphorePermit);

/// An admitted invocation that still lacks its event.
#[derive(Debug)]
pub(crate) struct Call {
    runner: Runner,
    function: Arc<HeldFunction>,
    admission: Admission,
}

impl Runner {
    /// A runner of the functions in `settings`. Opens no port.
    pub fn new(settings: Settings) -> Self {
        let hold = |function: FunctionSettings| {
            let lines = RecentLines::of_function();
            (function.name.clone(), Arc::new(HeldFunction::new(function, lines)))
        };
        Self(Arc::new(Inner {
            functions: settings.functions.into_iter().map(hold).collect(),
            free_places: Arc::new(Semaphore::new(settings.max_invocations)),
            admitted: TaskTracker::new(),
            cut: CancellationToken::new(),
            drain_timeout: settings.drain_timeout,
            followers: Followers::new(),
            secret: settings.secret,
        }))
    }

    /// Serves on `listener` until `stop`, then drains: from then on `/readyz` and new invocations
    /// are answered with 503, and running ones have the drain timeout to end. Those that have not
    /// ended by then are dropped and answered with 439. Returns when all is over.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        for function in self.0.functions.values() {
            let (name, kind) = (&function.name, function.runtime.kind());
            function.runtime.start();
            info!(function.name = name, runtime.kind = kind, "function {name} ready");
        }
        let close = CancellationToken::new();
        let serving = serve(listener, SERVE, close.clone(), routes::service(self.clone()));
        let shutdown = async {
            stop.cancelled().await;
            self.drain().await;
            self.stop_runtimes().await;
            self.0.followers.end();
            close.cancel();
            sleep(CLOSE_TIMEOUT).await;
        };
        // The listener stays open while draining, so that newcomers hear 503 and why.
        tokio::select! {
            () = serving => {}
            () = shutdown => warn!("connections were left that did not end"),
        }
    }

    async fn drain(&self) {
        let Inner { admitted, cut, drain_timeout, .. } = &*self.0;
        admitted.close();
        if timeout(*drain_timeout, admitted.wait()).await.is_ok() {
            return;
        }
        warn!(invocation.count = admitted.len(), "drain timeout passed, cutting invocations off");
        cut.cancel();
        // One that blocks its thread cannot be cut off, and one whose event is still arriving
        // will find out when it has arrived.
        let _ = timeout(CLOSE_TIMEOUT, admitted.wait()).await;
    }

    /// All at once: each takes the time that its slowest instance takes.
    async fn stop_runtimes(&self) {
        join_all(self.0.functions.values().map(|function| function.runtime.stop())).await;
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.admitted.is_closed()
    }

    /// Finds the function, and a place for one more invocation in the runner.
    pub(crate) fn admit(&self, name: &str) -> Result<Call, Fault> {
        // Counted before asking: a drain that starts in between waits for this one.
        let token = self.0.admitted.token();
        if self.is_draining() {
            return Err(draining());
        }
        let function = self.0.functions.get(name).ok_or_else(|| {
            Fault::new(InvocationFault::NoSuchFunction, "no function has this name")
        })?;
        let permit = Arc::clone(&self.0.free_places).try_acquire_owned().map_err(|_| {
            let message = "runner has as many invocations as it may have";
            Fault::new(InvocationFault::TooManyRequests, message)
        })?;
        let admission = (token, permit);
        Ok(Call { runner: self.clone(), function: Arc::clone(function), admission })
    }

    /// The last lines of the function `name`, if there is one.
    pub(crate) fn lines(&self, name: &str) -> Option<&RecentLines> {
        self.0.functions.get(name).map(|function| &function.lines)
    }

    /// What callers of the cloud API have to sign with, if anything.
    pub(crate) fn secret(&self) -> Option<&SecretPair> {
        self.0.secret.as_ref()
    }

    pub(crate) fn followers(&self) -> &Followers {
        &self.0.followers
    }

    /// All functions, in the order of their names.
    pub(crate) fn describe(&self) -> Vec<Value> {
        let mut functions: Vec<_> = self.0.functions.values().collect();
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        functions.into_iter().map(|function| function.describe()).collect()
    }
}

impl Call {
    /// Runs the function and waits for what comes of it.
    pub(crate) async fn run(self, order: Order) -> Report {
        match self.start(order) {
            // Fails when a function panics while it is dropped: at its deadline, or at the cut.
            Ok(running) => {
                running.await.unwrap_or_else(|error| Fault::panicked(&error.to_string()).into())
            }
            Err(fault) => fault.into(),
        }
    }

    /// Starts the function.
    ///
    /// In a task of its own, because a caller that hangs up does not cancel the function. It may
    /// have pushed or stored half of what it has to, and from outside nobody can tell. The caller
    /// is told what happened or hears nothing; either way the event has run once and to its end.
    pub(crate) fn start(self, order: Order) -> Result<JoinHandle<Report>, Fault> {
        let Self { runner, function, admission } = self;
        let Order { event, request_id, traceparent, caller, tail } = order;
        let Inner { admitted, cut, .. } = &*runner.0;
        if cut.is_cancelled() {
            return Err(draining());
        }
        let context = Context {
            request_id,
            function_name: function.name.clone(),
            memory_limit_mb: function.memory_mb,
            time_limit: function.timeout,
            traceparent,
        };
        let lines = Lines::of_invocation(&context, function.lines.clone(), tail);
        let span = lines.span();
        let cut = cut.clone();
        let invocation =
            Invocation { function, event, context, lines, caller, cut, place: admission };
        Ok(admitted.spawn(invocation.run().instrument(span)))
    }
}

/// The event has not been handed to anyone.
pub(crate) fn draining() -> Fault {
    Fault::new(InvocationFault::Draining, "runner is shutting down")
}
