//! Follows a project through its changes while it runs.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context;
use daemon::reload::{ReloadTriggers, changes_in};
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};

use super::{
    plan::{Places, Plan},
    report,
    served::Served,
    write,
};
use crate::services::Listeners;

/// A project that runs.
#[derive(Debug)]
pub(super) struct Followed<'a> {
    pub(super) folder: &'a Path,
    pub(super) places: &'a Places,
    pub(super) variables: &'a BTreeMap<String, String>,
    /// What runs.
    pub(super) plan: Plan,
    pub(super) listeners: Listeners,
}

/// Watches all files in the folder of a project: each may be one that decides it. To be called
/// before it is read.
pub(super) async fn watch(folder: &Path) -> anyhow::Result<ReloadTriggers> {
    let mut triggers = ReloadTriggers::listen(true).context("could not listen for SIGHUP")?;
    triggers.watch(&main_file(folder), vec![folder.to_owned()]).await;
    Ok(triggers)
}

fn main_file(folder: &Path) -> PathBuf {
    folder.join("serverless.yml")
}

impl Followed<'_> {
    /// Writes the settings again when the project changes, which the services then take up. Never
    /// ends.
    pub(super) async fn follow(mut self, mut triggers: ReloadTriggers) {
        let mut said = self.plan.notes.clone();
        triggers.watch(&main_file(self.folder), self.folders()).await;
        let mut behind_shim = self.changes_behind_shim();
        loop {
            triggers.next().await;
            let plan = self.plan_now().await;
            if plan.notes != said {
                report::say(report::notes(&plan.notes));
                said.clone_from(&plan.notes);
            }
            if let Err(error) = self.take_up(plan) {
                error!("the project stays as it is: {error:#}");
            }
            triggers.watch(&main_file(self.folder), self.folders()).await;
            let now = self.changes_behind_shim();
            if now != behind_shim {
                behind_shim = now;
                if let Err(error) = write::shim(&self.places.shim, true) {
                    error!("functions with the shim stay as they are: {error:#}");
                }
            }
        }
    }

    /// What the project is by now. Read by a task of its own: the services are beside this one.
    async fn plan_now(&self) -> Plan {
        let (folder, places) = (self.folder.to_owned(), self.places.clone());
        let variables = self.variables.clone();
        let reading = tokio::spawn(async move {
            Plan::make(&folder, &places, &variables, report::INSTALLED).await
        });
        AbortOnDropHandle::new(reading).await.expect("reading a project does not panic")
    }

    /// Makes `plan` what runs.
    fn take_up(&mut self, plan: Plan) -> anyhow::Result<()> {
        // A file that is being saved looks like this, and so does a slip of the author.
        anyhow::ensure!(
            plan.errors() <= self.plan.errors() && !plan.project.apis.is_empty(),
            "its files have new errors, or no WebSocket endpoint any more"
        );
        if plan.texts != self.plan.texts {
            write::settings(&self.places.settings, &plan.texts)?;
            info!("the project has changed, its new settings are used");
        }
        if plan.texts.cos != self.plan.texts.cos {
            warn!("the buckets of the project have changed: start longhold again to use them");
        }
        let lines = |plan: &Plan| {
            let served = Served { project: &plan.project, listeners: self.listeners };
            report::served(&served, &self.places.data)
        };
        let now = lines(&plan);
        if now != lines(&self.plan) {
            report::say(now);
        }
        self.plan = plan;
        Ok(())
    }

    /// The folder of the project, and the code behind the shim, whose changes are counted.
    fn folders(&self) -> Vec<PathBuf> {
        let mut folders = self.plan.behind_shim();
        folders.push(self.folder.to_owned());
        folders
    }

    fn changes_behind_shim(&self) -> u64 {
        self.plan.behind_shim().iter().map(|folder| changes_in(folder)).sum()
    }
}
