//! `longhold up`: runs a project that was made for a cloud's functions, as it is.
//!
//! The settings that the crate `project` makes of it are written into a folder of their own, and
//! run like any others: when the project changes, they are written again, and the services take
//! them up. Nothing is written into the folder of the project.

mod data_folder;
mod exec;
mod follow;
mod import;
mod interpreters;
mod libraries;
mod plan;
mod process;
mod report;
mod served;
mod write;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use daemon::{
    process::{Ended, variables},
    signals::Signals,
};

pub(crate) use self::import::Import;
use self::{
    data_folder::DataFolder,
    follow::Followed,
    libraries::Missing,
    plan::{Places, Plan},
    served::Served,
};
use crate::{
    services::{Listeners, Services},
    settings::Files,
};

const DATA_HELP: &str = "The folder for what the project keeps: owed cleanups, objects, tokens, \
                         libraries, and the settings made of it. Default: a folder for each project \
                         below $XDG_DATA_HOME/longhold";
const EXEC_HELP: &str = "Run a shell command against the project, stop, and exit with its code. The \
                         command has LONGHOLD_URL, LONGHOLD_PAGE, LONGHOLD_PUSH and LONGHOLD_COS in \
                         its environment";

/// Runs a project made for a cloud's functions (serverless.yml or template.yaml), as it is
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// The folder of the project, which is read and never written
    #[arg(default_value = ".")]
    dir: PathBuf,
    #[arg(long, value_name = "DIR", help = DATA_HELP)]
    data: Option<PathBuf>,
    /// Say what would run, and start nothing. The exit code is 1 if a part cannot run
    #[arg(long)]
    check: bool,
    #[arg(long, value_name = "COMMAND", conflicts_with = "check", help = EXEC_HELP)]
    exec: Option<String>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The services have run.
    Ran(Ended<()>),
    /// What was asked for is done.
    Done(ExitCode),
}

impl Up {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let variables = variables();
        let folder = project_folder(&self.dir)?;
        let data = DataFolder::of(&folder, self.data.as_deref(), &variables)?;
        let places = data.places();
        if self.check {
            return check(&folder, &places, &variables).await.map(Outcome::Done);
        }
        let _lock = data.open()?;
        report::say([format!("longhold up {}", folder.display())]);
        let triggers = follow::watch(&folder).await?;
        let mut signals = Signals::listen().context("could not listen for signals")?;
        // What installs libraries is killed by a signal.
        let plan = tokio::select! {
            plan = Plan::make(&folder, &places, &variables, report::INSTALLED) => plan,
            signal = signals.next() => bail!("{signal} received before the project ran"),
        };
        report::say(report::notes(&plan.notes));
        ensure!(!plan.project.apis.is_empty(), nothing_to_serve(&folder));
        write::shim(&places.shim, false)?;
        write::settings(&places.settings, &plan.texts)?;
        let mut files = Files::find(Some(&places.settings))?;
        if plan.project.websites.is_empty() {
            files = files.with_page();
        }
        let services = Services::open(&mut files).await?;
        let mut done = None;
        let beside = async |listeners: Listeners| {
            let served = Served { project: &plan.project, listeners };
            report::say(report::served(&served, &places.data));
            let followed = Followed {
                folder: &folder,
                places: &places,
                variables: &variables,
                plan: plan.clone(),
                listeners,
            };
            let following = followed.follow(triggers);
            let Some(command) = &self.exec else { return following.await };
            tokio::select! {
                ended = exec::run(command, &served) => done = Some(ended),
                () = following => {}
            }
        };
        let ended = services.run(files, signals, beside).await?;
        match done {
            Some(code) => Ok(Outcome::Done(code?)),
            // A signal came first.
            None if self.exec.is_some() => Ok(Outcome::Done(ExitCode::FAILURE)),
            None => Ok(Outcome::Ran(ended)),
        }
    }
}

/// Says what would run.
async fn check(
    folder: &Path,
    places: &Places,
    variables: &BTreeMap<String, String>,
) -> anyhow::Result<ExitCode> {
    // The settings must name a folder that there is.
    let shim = tempfile::tempdir().context("could not make a folder for a moment")?;
    write::shim(shim.path(), false)?;
    let places = &Places { shim: shim.path().to_owned(), ..places.clone() };
    let plan = Plan::make(folder, places, variables, Missing::Named).await;
    report::answer([format!("longhold up {}", folder.display())]);
    report::answer(report::notes(&plan.notes));
    ensure!(!plan.project.apis.is_empty(), nothing_to_serve(folder));
    let settings = Files::of_texts(&places.settings, plan.texts.clone()).check()?;
    report::answer(report::served(&Served::by(&plan.project, &settings), &places.data));
    Ok(plan.exit_code())
}

/// The folder of a project, by its absolute path without links.
fn project_folder(given: &Path) -> anyhow::Result<PathBuf> {
    let shown = given.display();
    let folder = given.canonicalize().with_context(|| {
        format!("could not find {shown}: name the folder with the serverless.yml of the project")
    })?;
    ensure!(folder.is_dir(), "{shown} is a file: name the folder of the project");
    Ok(folder)
}

fn nothing_to_serve(folder: &Path) -> String {
    format!(
        "{} has no WebSocket endpoint that can run, and nothing else is served without one",
        folder.display()
    )
}
