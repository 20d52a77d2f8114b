//! Settings and code that change while the runner runs. No invocation fails for it.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
    sync::Arc,
    time::Duration,
};

use daemon::settings::{Origins, SettingsError};
use futures_util::future::join_all;
use tokio::{sync::mpsc, task::spawn_blocking, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Runner, all_or_problems, function::HeldFunction};
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
        let names: BTreeSet<_> = settings.functions.iter().map(|f| f.name.clone()).collect();
        let new = match self.start_new(mem::take(&mut settings.functions), &settings.origins).await
        {
            Ok(new) => new,
            Err(error) => {
                error!("the settings stay as they are: {error}");
                return;
            }
        };
        for key in inner.settings.fixed_keys_that_differ(&settings) {
            warn!("{key} has changed in the settings, which takes a restart");
        }
        *inner.secret.lock().expect("nothing panics with the lock held") =
            settings.secret.take().map(Arc::new);

        let gone = inner.functions.retain(|name| names.contains(name));
        let removed: Vec<_> = gone.iter().map(|function| function.name().to_owned()).collect();
        gone.into_iter().for_each(|function| self.runner.retire(function));

        let outcomes = join_all(new.into_iter().map(|function| self.take_in(function))).await;
        let (mut added, mut changed) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Outcome::Added(name) => added.push(name),
                Outcome::Changed(name) => changed.push(name),
                Outcome::Refused(function) => {
                    self.refused.insert(function.name().to_owned(), (function, Instant::now()));
                }
            }
        }
        self.refused.retain(|name, _| names.contains(name) && !changed.contains(name));
        if !(added.is_empty() && changed.is_empty() && removed.is_empty()) {
            info!(?added, ?changed, ?removed, "functions reloaded");
        }
    }

    /// Starts those of `functions` that are not what is there already, nor what has been refused.
    async fn start_new(
        &self,
        functions: Vec<FunctionSettings>,
        origins: &Origins,
    ) -> Result<Vec<HeldFunction>, SettingsError> {
        let (runner, refused, origins) =
            (self.runner.clone(), self.refused.clone(), origins.clone());
        let start = move |settings: FunctionSettings| {
            let current = runner.0.functions.get(&settings.name);
            let refused = refused.get(&settings.name).filter(|(_, when)| when.elapsed() < PAUSE);
            let known = [current.as_ref(), refused.map(|(function, _)| function)];
            if known.into_iter().flatten().any(|function| function.is_of(&settings)) {
                return None;
            }
            let lines = current.map_or_else(RecentLines::of_function, |f| f.lines.clone());
            Some(HeldFunction::start(settings, lines, &origins))
        };
        // All files of their code are looked at.
        let started = spawn_blocking(|| all_or_problems(functions.into_iter().filter_map(start)));
        started.await.expect("starting functions does not panic")
    }

    /// Starts `function`, and puts it in the place of the one that has its name.
    async fn take_in(&self, function: HeldFunction) -> Outcome {
        let functions = &self.runner.0.functions;
        let name = function.name().to_owned();
        let function = Arc::new(function);
        let Some(current) = functions.get(&name) else {
            // As at the start of the process: callers hear what is wrong with it.
            function.runtime.keep_warm();
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
        function.runtime.keep_warm();
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
    let (name, error) = (function.name(), fault.message());
    error!(function.name = name, error, trace = fault.trace(), "function {name} {what}");
    let text = format!("function {name} {what}: {error}\n{}", fault.trace());
    let lines: Vec<_> = text.lines().map(Arc::from).collect();
    function.lines.push(&lines);
}
