//! The runner: its functions, how many invocations may run at once, and its shutdown.

mod admission;
mod admitted;
mod callers;
mod detached;
mod ends;
mod function;
mod invocation;
mod reload;
mod table;

use std::{
    convert::Infallible,
    future::pending,
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use daemon::{
    body::BodyMemory,
    browser::PageSettings,
    credentials::Gate,
    settings::{Problem, SettingsError},
    tls::OutboundTls,
};
use futures_util::future::join_all;
use serde_json::Value;
use shared::invocation::InvocationFault;
use tokio::{
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use self::{
    admission::Admission, ends::AllEnds, function::HeldFunction, reload::FunctionReload,
    table::Table,
};
pub(crate) use self::{
    admitted::{Admitted, report_of},
    callers::{Callers, DRAINING_MAX, DrainingCaller},
};
use crate::{
    cloud::{ActionHandler, CloudProcess},
    invocation::{Fault, RecentLines},
    runtime::{GatewayAccess, reply_memory},
    settings::{KnownFunctions, SecretPair, Settings},
};

/// How long the event of an admitted invocation may take to arrive.
const EVENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long invocations that were cut off have to end.
const CUT_TIMEOUT: Duration = Duration::from_secs(1);

/// The files of a process: its output, its runtime API, connections to it, and a few for a moment.
const FILES_OF_PROCESS: usize = 8;

/// Runs functions. A handle: clones are the same runner.
#[derive(Debug, Clone)]
pub struct Runner(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    functions: Table,
    /// Their settings as they were taken into use last, those with which nothing started too.
    known: KnownFunctions,
    /// Who may use the internal listener.
    gate: Gate,
    /// How functions push to the gateway.
    gateway: GatewayAccess,
    /// TLS of these pushes, if the settings say something.
    outbound_tls: Option<OutboundTls>,
    /// When running invocations will have ended, those of functions that were removed too.
    ends: AllEnds,
    /// The secret pair that requests of the cloud API are signed with, if one is set.
    secret: Mutex<Option<Arc<SecretPair>>>,
    /// The settings of the start, without the functions and the secret.
    settings: Settings,
    /// One permit for each invocation that may still be admitted.
    permits: Arc<Semaphore>,
    /// The memory for replies that are being read from child processes.
    replies: BodyMemory,
    /// All admitted invocations. Closed means that none is admitted any more.
    admitted: TaskTracker,
    /// The callers that drain.
    callers: Callers,
    /// Cancelled when the drain begins.
    draining: CancellationToken,
    /// Cancelled to end the invocations that a shutdown cannot wait for.
    cut: CancellationToken,
    /// Tasks that end functions that were replaced or removed.
    retired: TaskTracker,
}

impl Runner {
    /// Starts a runner with the functions of `settings`. Opens no port. Functions in Rust are
    /// started; the others start when there is an event.
    ///
    /// The error has the problems of the files of tokens, or of those of `[outbound_tls]`, or of
    /// all functions that did not start.
    pub fn start(mut settings: Settings) -> Result<Self, SettingsError> {
        let gate = Gate::new(settings.access.open(&settings.origins)?);
        let replies = reply_memory(settings.reply_memory);
        let functions = mem::take(&mut settings.functions);
        let known = KnownFunctions::default();
        known.replace(functions.clone());
        let all_ends = AllEnds::default();
        let outbound_tls =
            OutboundTls::open(&settings.outbound_tls, "outbound_tls", &settings.origins)?;
        let token = &gate.credentials().service;
        let authorization = token.bearer();
        let (peers, cloud) = (settings.access.peers(), CloudProcess::new(&settings.cloud, token));
        let gateway = GatewayAccess::new(authorization, peers, outbound_tls.clone(), cloud);
        let functions = all_or_problems(functions.into_iter().map(|function| {
            let (lines, ends) = (RecentLines::of_function(), all_ends.of(&function.name));
            HeldFunction::start(function, lines, ends, &replies, &gateway, &settings.origins)
        }))?;
        let secret = settings.secret.take().map(Arc::new);
        Ok(Self(Arc::new(Inner {
            functions: Table::new(functions),
            known,
            gate,
            gateway,
            outbound_tls,
            ends: all_ends,
            secret: Mutex::new(secret),
            permits: Arc::new(Semaphore::new(settings.max_invocations)),
            settings,
            replies,
            admitted: TaskTracker::new(),
            callers: Callers::default(),
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
            retired: TaskTracker::new(),
        })))
    }

    /// The functions that are in use, for reading their settings again.
    pub fn known_functions(&self) -> KnownFunctions {
        self.0.known.clone()
    }

    /// Starts the instances that functions keep without work.
    pub(crate) fn keep_warm(&self) {
        for function in self.0.functions.all() {
            let (name, kind) = (function.name(), function.settings.runtime.word());
            function.runtime.keep_warm();
            info!(function.name = name, runtime.kind = kind, "function {name} ready");
        }
    }

    /// Takes the settings that arrive on `changes` into use until `stop`. Then drains, and ends
    /// all functions.
    pub(crate) async fn run(&self, changes: mpsc::Receiver<Settings>, stop: CancellationToken) {
        let reloading = FunctionReload::new(self.clone(), stop.clone()).follow(changes);
        let draining = async {
            stop.cancelled().await;
            self.drain().await;
        };
        let work = async {
            tokio::join!(reloading, draining);
            self.stop_runtimes().await;
        };
        tokio::select! {
            () = work => {}
            never = self.follow_certificates() => match never {},
        }
    }

    /// Exchanges the certificates for pushes when their files change.
    async fn follow_certificates(&self) -> Infallible {
        if let Some(tls) = &self.0.outbound_tls {
            tls.follow(self.0.settings.watch).await;
        }
        pending().await
    }

    async fn drain(&self) {
        let Inner { admitted, cut, settings, draining, callers, .. } = &*self.0;
        draining.cancel();
        let known = callers.draining();
        if !known.is_empty() {
            info!(callers = ?known, "callers drain: invocations are admitted until they have gone");
        }
        if timeout(settings.drain.timeout, self.finish()).await.is_ok() {
            return;
        }
        admitted.close();
        let left = callers.draining();
        if !left.is_empty() {
            warn!(callers = ?left, "drain timeout passed: callers still drain");
        }
        if !admitted.is_empty() {
            let count = admitted.len();
            warn!(invocation.count = count, "drain timeout passed: cutting off invocations");
        }
        cut.cancel();
        // Two kinds of invocations may still be left: a function that blocks its thread cannot be
        // cut off, and an event that is still arriving is refused when it has arrived.
        let _ = timeout(CUT_TIMEOUT, admitted.wait()).await;
    }

    /// Admits what callers still send, and waits for all invocations. Whoever stops the runner may
    /// stop its callers too, at the same moment. Callers that go on repeat their calls later.
    ///
    /// The delay is never cut short. A caller without a connection may only have been quiet, and
    /// when one caller has drained and gone, another one may drain.
    async fn finish(&self) {
        let Inner { admitted, callers, settings, .. } = &*self.0;
        if !settings.drain.delay.is_zero() {
            // The time in which a caller that drains too can say so.
            sleep(settings.drain.delay).await;
        }
        loop {
            callers.none_drains().await;
            admitted.close();
            tokio::select! {
                biased;
                () = admitted.wait() => return,
                () = callers.one_drains() => admitted.reopen(),
            };
        }
    }

    /// How many files the processes of all functions may take, with one connection of each to its
    /// runtime API.
    pub(crate) fn files_of_processes(&self) -> usize {
        let functions = self.0.functions.all();
        functions.iter().map(|function| function.runtime.processes_max() * FILES_OF_PROCESS).sum()
    }

    /// Ends all functions at once. Each takes as long as its slowest instance.
    async fn stop_runtimes(&self) {
        // For replaced functions that still have invocations.
        self.0.cut.cancel();
        self.0.retired.close();
        let functions = self.0.functions.all();
        let ended = join_all(functions.iter().map(|function| function.runtime.stop()));
        tokio::join!(ended, self.0.retired.wait());
    }

    /// Ends `function`, which is no longer in the table, after its last invocation.
    fn retire(&self, function: Arc<HeldFunction>) {
        function.invocations.close();
        function.runtime.retire();
        let cut = self.0.cut.clone();
        self.0.retired.spawn(async move {
            tokio::select! {
                () = function.invocations.wait() => {}
                () = cut.cancelled() => {}
            }
            function.runtime.stop().await;
        });
    }

    /// Which pages may use the internal listener.
    pub(crate) fn internal_pages(&self) -> PageSettings {
        self.0.settings.internal_pages.clone()
    }

    /// Who may use the internal listener.
    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Whether the cloud API takes any signature of a caller on this machine.
    pub(crate) fn trusts_this_machine(&self) -> bool {
        self.0.settings.trusts_this_machine
    }

    /// Bytes of the bodies of all invocations that are being read, together.
    pub(crate) fn body_memory(&self) -> usize {
        self.0.settings.body_memory
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Whether callers may say that they drain.
    pub(crate) fn hears_callers(&self) -> bool {
        self.0.settings.drain.hears_callers
    }

    /// The callers that drain.
    pub(crate) fn callers(&self) -> &Callers {
        &self.0.callers
    }

    /// Finds the function `name`, and admits one more invocation of it.
    pub(crate) fn admit(&self, name: &str) -> Result<Admitted, Fault> {
        // Before the check: a drain that starts in between waits for this token.
        let in_runner = self.0.admitted.token();
        if self.0.admitted.is_closed() {
            return Err(Fault::draining());
        }
        let (function, of_function) = self.0.functions.take(name).ok_or_else(|| {
            Fault::new(InvocationFault::NoSuchFunction, "no function has this name")
        })?;
        let permit = Arc::clone(&self.0.permits).try_acquire_owned().map_err(|_| {
            let message = "runner has as many invocations as it may have";
            Fault::new(InvocationFault::TooManyRequests, message)
        })?;
        let running = function.ends.enter(EVENT_TIMEOUT + function.longest());
        let admission = Admission { in_runner, permit, of_function, running };
        Ok(Admitted { runner: self.clone(), function, admission })
    }

    /// The last lines of the function `name`, if there is one.
    pub(crate) fn lines(&self, name: &str) -> Option<RecentLines> {
        self.0.functions.get(name).map(|function| function.lines.clone())
    }

    /// The pairs that functions with a role sign with. The cloud API accepts them.
    pub(crate) fn role_pairs(&self) -> Vec<Arc<SecretPair>> {
        self.0.gateway.cloud.pairs()
    }

    /// The one of them that new instances have.
    pub fn role(&self) -> Arc<SecretPair> {
        self.0.gateway.cloud.role().pair
    }

    /// Functions that name the cloud API are answered by `handler`, or no more.
    pub(crate) fn answer_actions(&self, handler: Option<ActionHandler>) {
        self.0.gateway.cloud.answer_actions(handler);
    }

    /// The secret pair that requests of the cloud API are signed with, if one is set.
    pub(crate) fn secret(&self) -> Option<Arc<SecretPair>> {
        self.0.secret.lock().expect("nothing panics with the lock held").clone()
    }

    /// All functions, in the order of their names.
    pub(crate) fn describe(&self) -> Vec<Value> {
        self.0.functions.all().iter().map(|function| function.describe()).collect()
    }
}

/// All functions, or the problems of those that did not start.
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
