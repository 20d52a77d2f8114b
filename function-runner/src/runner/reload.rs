//! Settings and code that change while the runner runs. No invocation fails for it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{sync::mpsc, task::spawn_blocking, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Runner, function::HeldFunction};
use crate::{
    invocation::{Fault, RecentLines},
    settings::{FunctionSettings, Settings},
};

/// How long code that did not start is left alone while it stays as it is.
const PAUSE: Duration = Duration::from_secs(10);

/// Takes new settings into use.
#[derive(Debug)]
pub(super) struct FunctionReload {
    runner: Runner,
    stop: CancellationToken,
    /// Those whose code did not start, by name, and when that was: they are not tried again at
    /// once as long as nothing changes.
    refused: HashMap<String, (Arc<HeldFunction>, Instant)>,
}

/// What became of a function that is new or has changed.
#[derive(Debug)]
enum Outcome {
    Added(String),
    Changed(String),
    Refused(Arc<HeldFunction>),
}

impl FunctionReload {
    pub(super) fn new(runner: Runner, stop: CancellationToken) -> Self {
        Self { runner, stop, refused: HashMap::new() }
    }

    /// Runs until nobody sends settings any more, or the runner stops.
    pub(super) async fn follow(mut self, mut changes: mpsc::Receiver<Settings>) {
        loop {
            let settings = tokio::select! {
                settings = changes.recv() => settings,
                () = self.stop.cancelled() => None,
            };
            let Some(settings) = settings else { return };
            self.take(settings).await;
        }
    }

    async fn take(&mut self, mut settings: Settings) {
        let inner = Arc::clone(&self.runner.0);
        for key in inner.settings.fixed_keys_that_differ(&settings) {
            warn!("{key} has changed in the settings, which takes a restart");
        }
        *inner.secret.lock().expect("nothing panics with the lock held") =
            settings.secret.take().map(Arc::new);

        let names: BTreeSet<_> = settings.functions.iter().map(|f| f.name.clone()).collect();
        let gone = inner.functions.retain(|name| names.contains(name));
        let removed: Vec<_> = gone.iter().map(|function| function.name.clone()).collect();
        gone.into_iter().for_each(|function| self.runner.retire(function));

        let new = self.new_functions(settings.functions).await;
        let outcomes = join_all(new.into_iter().map(|function| self.take_in(function))).await;
        let (mut added, mut changed) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Outcome::Added(name) => added.push(name),
                Outcome::Changed(name) => changed.push(name),
                Outcome::Refused(function) => {
                    self.refused.insert(function.name.clone(), (function, Instant::now()));
                }
            }
        }
        self.refused.retain(|name, _| names.contains(name) && !changed.contains(name));
        if !(added.is_empty() && changed.is_empty() && removed.is_empty()) {
            info!(?added, ?changed, ?removed, "functions reloaded");
        }
    }

    /// Those of `functions` that are not what is there already, nor what has been refused.
    async fn new_functions(&self, functions: Vec<FunctionSettings>) -> Vec<HeldFunction> {
        let runner = self.runner.clone();
        let refused = self.refused.clone();
        let new = move |settings: FunctionSettings| {
            let current = runner.0.functions.get(&settings.name);
            let refused = refused.get(&settings.name).filter(|(_, when)| when.elapsed() < PAUSE);
            let known = [current.as_ref(), refused.map(|(function, _)| function)];
            if known.into_iter().flatten().any(|function| function.is_of(&settings)) {
                return None;
            }
            let lines = current.map_or_else(RecentLines::of_function, |f| f.lines.clone());
            Some(HeldFunction::new(settings, lines))
        };
        // All files of their code are looked at.
        let compared = spawn_blocking(|| functions.into_iter().filter_map(new).collect());
        compared.await.expect("looking at files does not panic")
    }

    /// Starts `function`, and puts it in the place of the one that has its name.
    async fn take_in(&self, function: HeldFunction) -> Outcome {
        let functions = &self.runner.0.functions;
        let name = function.name.clone();
        let function = Arc::new(function);
        let Some(current) = functions.get(&name) else {
            // As at the start of the process: callers hear what is wrong with it.
            function.runtime.start();
            functions.put(function);
            return Outcome::Added(name);
        };
        let warmed = tokio::select! {
            warmed = warm_up(&function, &current) => warmed,
            () = self.stop.cancelled() => Err(Fault::draining()),
        };
        if let Err(fault) = warmed {
            function.runtime.stop().await;
            if !self.stop.is_cancelled() {
                report(&current, "is broken: it stays as it was", &fault);
            }
            return Outcome::Refused(function);
        }
        function.runtime.start();
        if let Some(old) = functions.put(function) {
            self.runner.retire(old);
        }
        Outcome::Changed(name)
    }
}

/// Starts a first instance of `new`, and when that works as many as `current` has at work: all
/// would have to be waited for at once, after the change.
async fn warm_up(new: &HeldFunction, current: &HeldFunction) -> Result<(), Fault> {
    new.runtime.probe().await?;
    let busy = current.runtime.running();
    // What fails is logged where it is counted.
    join_all((1..busy).map(|_| new.runtime.probe())).await;
    Ok(())
}

/// For whoever looks after the runner, and whoever reads the log of the function.
fn report(function: &HeldFunction, what: &str, fault: &Fault) {
    let (name, error) = (&function.name, fault.message());
    error!(function.name = name, error, trace = fault.trace(), "function {name} {what}");
    let text = format!("function {name} {what}: {error}\n{}", fault.trace());
    let lines: Vec<_> = text.lines().map(Arc::from).collect();
    function.lines.push(&lines);
}
