//! The figures of the echo for a growing number of open connections, or a growing message size: as
//! a table, as JSON and as plots.

use std::{fs, path::PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::{
    load::{Load, echo},
    period::Lengths,
    plot::{Plot, Scale},
    report::Report,
    rounds,
    target::Target,
};

#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// What grows
    #[arg(long, value_enum, default_value_t = By::Connections)]
    by: By,
    /// The values, instead of the default ones
    #[arg(long, value_delimiter = ',')]
    steps: Vec<usize>,
    /// How many connections send
    #[arg(long, default_value_t = 64)]
    active: usize,
    /// The folder for the plots
    #[arg(long, value_name = "DIR", default_value = ".")]
    svg: PathBuf,
    #[command(flatten)]
    lengths: Lengths,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// The number of open connections; those beyond --active send nothing
    Connections,
    /// The size of each message, in bytes
    Bytes,
}

/// The report for one value.
struct Step {
    value: usize,
    report: Report,
}

/// Measures all steps against each target in turn.
pub(crate) async fn run(settings: &Settings, rounds: rounds::Settings) -> anyhow::Result<()> {
    let targets = vec![Target::Longhold(Default::default()), Target::Floor];
    let rounds = rounds.or(targets, 1);
    let mut steps = Vec::new();
    for value in settings.steps() {
        let load = Load::Echo(settings.echo(value));
        steps.push(Step { value, report: rounds.measure(&load).await? });
    }
    for name in settings.by.figures() {
        print_table(name, settings.by, &steps);
        settings.plot(name, &steps)?;
    }
    let reports: Vec<Value> = steps.iter().map(|step| step.report.to_json()).collect();
    rounds.write_json(&reports.into())
}

impl Settings {
    fn steps(&self) -> Vec<usize> {
        if self.steps.is_empty() { self.by.default_steps().to_vec() } else { self.steps.clone() }
    }

    fn echo(&self, value: usize) -> echo::Settings {
        let default = echo::Settings {
            connections: self.active,
            window: 1,
            bytes: 128,
            idle: 0,
            lengths: self.lengths,
        };
        match self.by {
            By::Connections => {
                let connections = self.active.min(value);
                echo::Settings { connections, idle: value - connections, ..default }
            }
            By::Bytes => echo::Settings { bytes: value, ..default },
        }
    }

    fn plot(&self, name: &str, steps: &[Step]) -> anyhow::Result<()> {
        let targets = steps.first().map(|step| step.report.targets()).unwrap_or_default();
        let lines = targets.iter().enumerate().map(|(number, target)| {
            let points = steps
                .iter()
                .filter_map(|step| Some((step.value as f64, step.report.median(number, name)?)));
            (target.clone(), points.collect())
        });
        let by = self.by.name();
        let plot = Plot {
            title: &format!("Echo, {} active connections, while {by} grow", self.active),
            across: by,
            up: name,
            scale: match self.by {
                By::Connections => Scale::FromZero,
                By::Bytes => Scale::Logarithmic,
            },
            lines: lines.collect(),
        };
        fs::create_dir_all(&self.svg)?;
        plot.write(&self.svg.join(format!("growth-{by}-{name}.svg")))
    }
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Bytes => "bytes",
        }
    }

    fn default_steps(self) -> &'static [usize] {
        match self {
            Self::Connections => &[1000, 2000, 4000, 8000, 15_000],
            Self::Bytes => &[16, 128, 1 << 10, 8 << 10, 64 << 10, 256 << 10, 1_000_000],
        }
    }

    fn figures(self) -> &'static [&'static str] {
        match self {
            Self::Connections => &["messages_per_s", "p99_us", "bytes_each"],
            Self::Bytes => &["messages_per_s", "megabytes_per_s"],
        }
    }
}

/// A row for each step, a column for each target.
fn print_table(name: &str, by: By, steps: &[Step]) {
    let Some(first) = steps.first() else { return };
    let targets = first.report.targets();
    let heads = targets.iter().map(|target| format!("{target:>16}"));
    println!("\n{:<16}{name}{}", by.name(), heads.collect::<String>());
    for step in steps {
        let values = (0..targets.len()).map(|number| {
            let value = step.report.median(number, name);
            value.map_or(format!("{:>16}", "-"), |value| format!("{value:>16.1}"))
        });
        println!("{:<16}{}{}", step.value, " ".repeat(name.len()), values.collect::<String>());
    }
}
