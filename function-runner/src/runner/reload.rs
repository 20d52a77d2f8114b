//! Takes new settings and new code into use while the runner runs. No invocation fails.

mod reports;

use std::{
    collections::{BTreeSet, HashMap},
    mem,
    sync::Arc,
    time::Duration,
};

use daemon::{
    reload::Trigger,
    settings::{Origins, SettingsError},
};
use futures_util::future::join_all;
use shared::invocation::InvocationFault;
use tokio::{sync::mpsc, task::spawn_blocking, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::reports::Reports;
use super::{Runner, all_or_problems, function::HeldFunction};
use crate::{
    invocation::{Fault, RecentLines},
    settings::{FunctionSettings, Settings},
};

/// How long code that did not start is not tried again, unless it changes.
const PAUSE: Duration = Duration::from_secs(10);

/// Takes new settings into use.
#[derive(Debug)]
pub(super) struct FunctionReload {
    runner: Runner,
    stop: CancellationToken,
    /// Functions whose new code did not start, by name, and when that was.
    refused: HashMap<String, (Arc<HeldFunction>, Instant)>,
    reports: Reports,
}

/// The outcome for a function that is new or has changed.
#[derive(Debug)]
enum FunctionChange {
    Added(String),
    Changed(String),
    Refused(Arc<HeldFunction>),
}

impl FunctionReload {
    pub(super) fn new(runner: Runner, stop: CancellationToken) -> Self {
        Self { runner, stop, refused: HashMap::new(), reports: Reports::new() }
    }

    /// Runs until `changes` is closed, or the runner stops.
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
        let functions = mem::take(&mut settings.functions);
        let names: BTreeSet<_> = functions.iter().map(|f| f.name.clone()).collect();
        let all = functions.clone();
        let new = match self.start_new(functions, &settings.origins, settings.trigger).await {
            Ok(new) => new,
            Err(error) => return error!("the settings stay as they are: {error}"),
        };
        self.report_code_problems(&all);
        inner.known.replace(all);
        for key in inner.settings.fixed_keys_that_differ(&settings) {
            warn!("{key} has changed in the settings: it takes effect after a restart");
        }
        inner.gateway.cloud.take(&settings.cloud);
        *inner.secret.lock().expect("nothing panics with the lock held") =
            settings.secret.take().map(Arc::new);

        let gone = inner.functions.retain(|name| names.contains(name));
        let removed: Vec<_> = gone.iter().map(|function| function.name().to_owned()).collect();
        gone.into_iter().for_each(|function| self.runner.retire(function));

        let changes = join_all(new.into_iter().map(|function| self.take_in(function))).await;
        self.note(changes, &names, &removed);
    }

    fn note(&mut self, changes: Vec<FunctionChange>, names: &BTreeSet<String>, removed: &[String]) {
        let (mut added, mut changed) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                FunctionChange::Added(name) => added.push(name),
                FunctionChange::Changed(name) => changed.push(name),
                FunctionChange::Refused(function) => {
                    self.refused.insert(function.name().to_owned(), (function, Instant::now()));
                }
            }
        }
        self.refused.retain(|name, _| names.contains(name) && !changed.contains(name));
        if !(added.is_empty() && changed.is_empty() && removed.is_empty()) {
            info!(?added, ?changed, ?removed, "functions reloaded");
        }
    }

    /// The functions with these problems go on with the instances that they have.
    fn report_code_problems(&self, functions: &[FunctionSettings]) {
        for function in functions {
            let current = self.runner.0.functions.get(&function.name);
            if let (Some(problem), Some(current)) = (function.code_problem(), current) {
                let name = current.name();
                let what = format!("the code of {name} cannot be used; the old code keeps running");
                let fault = Fault::new(InvocationFault::LoadFailed, problem.to_owned());
                self.reports.write(name, &current.lines, &what, &fault);
            }
        }
    }

    /// Starts those of `functions` that differ from what runs, and from what was refused shortly
    /// before.
    async fn start_new(
        &self,
        functions: Vec<FunctionSettings>,
        origins: &Origins,
        trigger: Trigger,
    ) -> Result<Vec<HeldFunction>, SettingsError> {
        let (runner, refused, origins) =
            (self.runner.clone(), self.refused.clone(), origins.clone());
        let start = move |settings: FunctionSettings| {
            let current = runner.0.functions.get(&settings.name);
            let refused = refused.get(&settings.name).filter(|(_, when)| when.elapsed() < PAUSE);
            let known = [current.as_ref(), refused.map(|(function, _)| function)];
            if known.into_iter().flatten().any(|function| function.is_of(&settings, trigger)) {
                return None;
            }
            // Asked before: the pool has to learn of changed code here too.
            if settings.code_problem().is_some() {
                return None;
            }
            let lines = current.map(|current| current.lines.clone());
            let lines = lines.unwrap_or_else(RecentLines::of_function);
            let ends = runner.0.ends.of(&settings.name);
            let (gateway, replies) = (&runner.0.gateway, &runner.0.replies);
            Some(HeldFunction::start(settings, lines, ends, replies, gateway, &origins))
        };
        // Blocking: all files of the code are looked at.
        let started = spawn_blocking(|| all_or_problems(functions.into_iter().filter_map(start)));
        started.await.expect("starting functions does not panic")
    }

    /// Starts `function`, and replaces the function that has its name.
    async fn take_in(&self, function: HeldFunction) -> FunctionChange {
        let functions = &self.runner.0.functions;
        let name = function.name().to_owned();
        let function = Arc::new(function);
        let Some(current) = functions.get(&name) else {
            // As at the start of the process: if its code does not start, invocations fail.
            function.runtime.keep_warm();
            functions.put(function);
            return FunctionChange::Added(name);
        };
        let warmed = tokio::select! {
            warmed = warm_up(&function, &current) => warmed,
            () = self.stop.cancelled() => Err(Fault::draining()),
        };
        if let Err(fault) = warmed {
            function.runtime.stop().await;
            if !self.stop.is_cancelled() {
                let name = current.name();
                let what = format!("new code of {name} does not start; the old code keeps running");
                self.reports.write(name, &current.lines, &what, &fault);
            }
            return FunctionChange::Refused(function);
        }
        function.runtime.keep_warm();
        if let Some(old) = functions.put(function) {
            self.runner.retire(old);
        }
        FunctionChange::Changed(name)
    }
}

/// Starts a first instance of `new`. If it starts, starts as many as `current` has busy:
/// otherwise all invocations would wait for them at once after the change.
async fn warm_up(new: &HeldFunction, current: &HeldFunction) -> Result<(), Fault> {
    new.runtime.probe().await?;
    let busy = current.runtime.running();
    // The pool logs those that fail.
    join_all((1..busy).map(|_| new.runtime.probe())).await;
    Ok(())
}
