//! Runs one measure against several targets in turn, so that other work on the machine affects all
//! of them alike.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use crate::{
    load::Load,
    progress::say,
    report::{Report, Round},
    target::{Target, longhold::Build},
};

/// Which targets are measured, and how often.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// longhold, longhold@DIR (binaries of another build), longhold+journal=off,
    /// longhold+features=off, floor, bare, nchan, pushpin. Default longhold; all when comparing
    #[arg(long, global = true, value_delimiter = ',')]
    targets: Vec<Target>,
    /// How often each target is measured. Default 1; 3 when comparing
    #[arg(long, global = true)]
    rounds: Option<usize>,
    /// Also writes all figures to this file
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Settings {
    /// Fills in the defaults of a comparison.
    pub(crate) fn comparing(self) -> Self {
        let longhold = Target::Longhold(Default::default());
        self.or(vec![longhold, Target::Floor, Target::Bare, Target::Nchan, Target::Pushpin], 3)
    }

    /// Fills in these defaults.
    pub(crate) fn or(mut self, targets: Vec<Target>, rounds: usize) -> Self {
        if self.targets.is_empty() {
            self.targets = targets;
        }
        self.rounds = self.rounds.or(Some(rounds));
        self
    }

    /// Measures, prints the table and writes the JSON.
    pub(crate) async fn run(&self, load: &Load) -> anyhow::Result<()> {
        let report = self.measure(load).await?;
        println!("{report}");
        self.write_json(&report.to_json())
    }

    pub(crate) fn write_json(&self, value: &Value) -> anyhow::Result<()> {
        let Some(file) = &self.json else { return Ok(()) };
        fs::write(file, format!("{value:#}\n")).with_context(|| file.display().to_string())
    }

    /// The builds of Longhold among the targets; the one in the folder of this binary if no target
    /// is named.
    pub(crate) fn builds(&self) -> Vec<Build> {
        let builds = self.targets.iter().filter_map(|target| match target {
            Target::Longhold(build) => Some(build.clone()),
            Target::Floor | Target::Bare | Target::Nchan | Target::Pushpin => None,
        });
        let builds: Vec<_> = builds.collect();
        if builds.is_empty() { vec![Build::default()] } else { builds }
    }

    /// Measures round by round. Each round begins with another target.
    pub(crate) async fn measure(&self, load: &Load) -> anyhow::Result<Report> {
        let targets = self.possible(load);
        let rounds = self.rounds.unwrap_or(1);
        let mut report = Report::new(load, &targets);
        for round in 0..rounds {
            let mut figures = vec![None; targets.len()];
            for turn in 0..targets.len() {
                let number = (turn + round) % targets.len();
                let target = &targets[number];
                say(&format!("{} {target}, round {} of {rounds}", load.name(), round + 1));
                match load.measure(target).await {
                    Ok(measured) => figures[number] = Some(measured),
                    // The failure of a peer must not end the run.
                    Err(error) if !target.promises_order() => eprintln!("{target}: {error:#}"),
                    Err(error) => return Err(error.context(target.to_string())),
                }
            }
            report.rounds.push(Round(figures));
        }
        Ok(report)
    }

    /// The targets, without those that this machine cannot run.
    fn possible(&self, load: &Load) -> Vec<Target> {
        let mut targets = self.targets.clone();
        if targets.is_empty() {
            targets.push(Target::Longhold(Default::default()));
        }
        targets.retain(|target| match target.missing(load.scenario()) {
            Some(reason) => {
                eprintln!("{target} is skipped: {reason}");
                false
            }
            None => true,
        });
        targets
    }
}
