//! Follows a project through its changes while it runs.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context;
use daemon::reload::{ReloadTriggers, changes_in};
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info};

use super::{
    plan::{Places, Plan},
    report, write,
};

/// A project that runs.
#[derive(Debug)]
pub(super) struct Followed<'a> {
    pub(super) folder: &'a Path,
    pub(super) places: &'a Places,
    pub(super) variables: &'a BTreeMap<String, String>,
    /// What runs.
    pub(super) plan: Plan,
}

impl Followed<'_> {
    /// Writes the settings again when the project changes, which the services then take up. Never
    /// ends, unless the changes cannot be seen.
    pub(super) async fn follow(mut self) -> anyhow::Result<()> {
        let mut triggers = self.triggers().await?;
        let mut said = self.plan.notes.clone();
        let mut behind_shim = self.changes_behind_shim();
        loop {
            let plan = self.plan_now().await;
            if plan.notes != said {
                report::say(report::notes(&plan.notes));
                said.clone_from(&plan.notes);
            }
            let sources = self.plan.sources.clone();
            match self.take_up(plan) {
                Ok(()) => {}
                Err(error) => error!("the project stays as it is: {error:#}"),
            }
            let now = self.changes_behind_shim();
            if now != behind_shim {
                behind_shim = now;
                if let Err(error) = write::shim(&self.places.shim, true) {
                    error!("functions with the shim stay as they are: {error:#}");
                }
            }
            if sources != self.plan.sources {
                // What has changed meanwhile is seen by the next look.
                triggers = self.triggers().await?;
                continue;
            }
            triggers.next().await;
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
        if plan == self.plan {
            return Ok(());
        }
        // A file that is being saved looks like this, and so does a slip of the author.
        anyhow::ensure!(
            plan.errors() <= self.plan.errors() && !plan.project.apis.is_empty(),
            "its files have new errors, or no WebSocket endpoint any more"
        );
        if plan.texts != self.plan.texts {
            write::settings(&self.places.settings, &plan.texts)?;
            info!("the project has changed, its new settings are used");
        }
        self.plan = plan;
        Ok(())
    }

    /// Watches the files that decide the project, and all others in its folder: a new one may be
    /// one of them.
    async fn triggers(&self) -> anyhow::Result<ReloadTriggers> {
        let triggers = ReloadTriggers::listen(true).context("could not listen for SIGHUP")?;
        let first = self.folder.join("serverless.yml");
        let add = |triggers: ReloadTriggers, source: &PathBuf| triggers.beside(source.clone());
        let mut triggers = self.plan.sources.iter().fold(triggers, add);
        let mut folders = vec![self.folder.to_owned()];
        folders.append(&mut self.plan.behind_shim());
        triggers.watch(&first, folders).await;
        Ok(triggers)
    }

    fn changes_behind_shim(&self) -> u64 {
        self.plan.behind_shim().iter().map(|folder| changes_in(folder)).sum()
    }
}
