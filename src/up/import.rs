//! `longhold import`: writes the settings of a project, to be kept and changed by hand.

use std::{
    path::{Path, PathBuf, absolute},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use clap::Args;
use daemon::process::variables;

use super::{
    data_folder::refuse_inside,
    plan::{Places, Plan},
    project_folder, report, write,
};
use crate::settings::Files;

/// Writes gateway.toml and functions.toml for a project made for a cloud's functions, and cos.toml
/// if it uses the object store
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The folder of the project, which is read and never written
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The folder for the settings, outside of the project. Default: the working folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    to: PathBuf,
}

impl Import {
    /// The exit code is 1 if a part of the project cannot run.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let folder = project_folder(&self.dir)?;
        let to = target(&folder, &self.to)?;
        let places = Places {
            data: PathBuf::from("data"),
            settings: to.clone(),
            libraries: to.join("libraries"),
            shim: to.join("shim"),
        };
        let plan = Plan::make(&folder, &places, &variables(), report::INSTALLED).await;
        report::say(report::notes(&plan.notes));
        if !plan.behind_shim().is_empty() {
            write::shim(&places.shim, false)?;
        }
        for (name, text) in write::files(&plan.texts) {
            let Some(text) = text else { continue };
            let path = to.join(name);
            write::create(&path, text)
                .with_context(|| format!("could not write {}", path.display()))?;
            report::answer([format!("{}", path.display())]);
        }
        if !plan.project.apis.is_empty() {
            Files::of_texts(&to, plan.texts.clone()).check()?;
        }
        Ok(plan.exit_code())
    }
}

/// The folder for the settings. None of them is there.
fn target(project: &Path, given: &Path) -> anyhow::Result<PathBuf> {
    let to = given.canonicalize().or_else(|_| absolute(given));
    let to = to.context("the working folder is gone")?;
    refuse_inside(project, &to, "--to")?;
    std::fs::create_dir_all(&to).with_context(|| format!("could not make {}", to.display()))?;
    for name in write::NAMES {
        ensure!(
            !to.join(name).exists(),
            "{} has a {name} already, which is not overwritten: move it away, or name another \
             folder with --to",
            to.display()
        );
    }
    Ok(to)
}
