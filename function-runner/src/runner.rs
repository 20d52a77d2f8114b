//! The runner: which functions there are, how much may run at once, and the way down.

mod call;
mod detached;
mod function;
mod invocation;
mod reload;
mod table;

use std::{
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use daemon::settings::{Problem, SettingsError};
use futures_util::future::join_all;
use serde_json::Value;
use shared::invocation::InvocationFault;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

pub(crate) use self::call::{Admission, Call, ended};
use self::{function::HeldFunction, reload::FunctionReload, table::Table};
use crate::{
    invocation::{Fault, RecentLines},
    settings::{SecretPair, Settings},
};

/// How long invocations that were cut off have to end.
const CUT_TIMEOUT: Duration = Duration::from_secs(1);

/// The functions, started. A handle: clones are the same runner.
#[derive(Debug, Clone)]
pub struct Runner(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    functions: Table,
    /// What callers of the cloud API have to sign with, if anything.
    secret: Mutex<Option<Arc<SecretPair>>>,
    /// What the runner was started with, but for the above.
    settings: Settings,
    free_places: Arc<Semaphore>,
    /// All that is admitted. Closed means draining.
    admitted: TaskTracker,
    /// Ends the functions that a shutdown cannot wait for.
    cut: CancellationToken,
    /// The ends of functions that have been replaced or removed.
    retired: TaskTracker,
}

impl Runner {
    /// A runner of the functions in `settings`, those in Rust started. Opens no port.
    ///
    /// The error has the problems of all functions that did not start.
    pub fn start(mut settings: Settings) -> Result<Self, SettingsError> {
        let functions = mem::take(&mut settings.functions).into_iter();
        let functions = all_or_problems(functions.map(|function| {
            HeldFunction::start(function, RecentLines::of_function(), &settings.origins)
        }))?;
        let secret = settings.secret.take().map(Arc::new);
        Ok(Self(Arc::new(Inner {
            functions: Table::new(functions),
            secret: Mutex::new(secret),
            free_places: Arc::new(Semaphore::new(settings.max_invocations)),
            settings,
            admitted: TaskTracker::new(),
            cut: CancellationToken::new(),
            retired: TaskTracker::new(),
        })))
    }

    /// Starts the instances that functions keep without work.
    pub(crate) fn keep_warm(&self) {
        for function in self.0.functions.all() {
            let (name, kind) = (function.name(), function.settings.runtime.word());
            function.runtime.keep_warm();
            info!(function.name = name, runtime.kind = kind, "function {name} ready");
        }
    }

    /// Takes the settings that `changes` brings into use until `stop`, then drains and ends all
    /// functions.
    pub(crate) async fn run(&self, changes: mpsc::Receiver<Settings>, stop: CancellationToken) {
        let reloading = FunctionReload::new(self.clone(), stop.clone()).follow(changes);
        let draining = async {
            stop.cancelled().await;
            self.drain().await;
        };
        tokio::join!(reloading, draining);
        self.stop_runtimes().await;
    }

    async fn drain(&self) {
        let Inner { admitted, cut, settings, .. } = &*self.0;
        admitted.close();
        if timeout(settings.drain_timeout, admitted.wait()).await.is_ok() {
            return;
        }
        warn!(invocation.count = admitted.len(), "drain timeout passed, cutting invocations off");
        cut.cancel();
        // One that blocks its thread cannot be cut off, and one whose event is still arriving
        // will find out when it has arrived.
        let _ = timeout(CUT_TIMEOUT, admitted.wait()).await;
    }

    /// All at once: each takes the time that its slowest instance takes.
    async fn stop_runtimes(&self) {
        // What has been replaced and still runs has been cut off, or cannot be.
        self.0.cut.cancel();
        self.0.retired.close();
        let functions = self.0.functions.all();
        let ended = join_all(functions.iter().map(|function| function.runtime.stop()));
        tokio::join!(ended, self.0.retired.wait());
    }

    /// Ends `function`, which nobody invokes any more, after its last invocation.
    fn retire(&self, function: Arc<HeldFunction>) {
        function.invocations.close();
        function.runtime.give_way();
        let cut = self.0.cut.clone();
        self.0.retired.spawn(async move {
            tokio::select! {
                () = function.invocations.wait() => {}
                () = cut.cancelled() => {}
            }
            function.runtime.stop().await;
        });
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.admitted.is_closed()
    }

    /// Finds the function, and a place for one more invocation in the runner.
    pub(crate) fn admit(&self, name: &str) -> Result<Call, Fault> {
        // Counted before asking: a drain that starts in between waits for this one.
        let token = self.0.admitted.token();
        if self.is_draining() {
            return Err(Fault::draining());
        }
        let (function, in_use) = self.0.functions.take(name).ok_or_else(|| {
            Fault::new(InvocationFault::NoSuchFunction, "no function has this name")
        })?;
        let permit = Arc::clone(&self.0.free_places).try_acquire_owned().map_err(|_| {
            let message = "runner has as many invocations as it may have";
            Fault::new(InvocationFault::TooManyRequests, message)
        })?;
        let admission = (token, permit, in_use);
        Ok(Call { runner: self.clone(), function, admission })
    }

    /// The last lines of the function `name`, if there is one.
    pub(crate) fn lines(&self, name: &str) -> Option<RecentLines> {
        self.0.functions.get(name).map(|function| function.lines.clone())
    }

    /// What callers of the cloud API have to sign with, if anything.
    pub(crate) fn secret(&self) -> Option<Arc<SecretPair>> {
        self.0.secret.lock().expect("nothing panics with the lock held").clone()
    }

    /// All functions, in the order of their names.
    pub(crate) fn describe(&self) -> Vec<Value> {
        self.0.functions.all().iter().map(|function| function.describe()).collect()
    }
}

/// All functions, or the problems of all that did not start.
fn all_or_problems(
    started: impl Iterator<Item = Result<HeldFunction, Problem>>,
) -> Result<Vec<HeldFunction>, SettingsError> {
    let (mut functions, mut problems) = (Vec::new(), Vec::new());
    for outcome in started {
        match outcome {
            Ok(function) => functions.push(function),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(functions) } else { Err(SettingsError(problems)) }
}
