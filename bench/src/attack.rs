//! Attacks: 64 clients that behave well send echoes, first alone and then beside peers that take
//! what they can and give nothing back. The clients must not notice.

mod kind;
mod memory;
mod peers;
mod silent;
mod table;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use serde_json::Value;

use self::{
    kind::Kind,
    memory::PeakMemory,
    peers::Peers,
    silent::SilentService,
    table::{Outcome, Table},
};
use crate::{
    figures::Figures,
    load::latency,
    period::Lengths,
    progress::say,
    rounds,
    target::{
        Target,
        longhold::{AttackedTarget, Build},
    },
};

#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// Which attacks, in this order. Default: all
    #[arg(long, value_enum, value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// Clients that behave well
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Messages per second of these clients together
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    /// The 99th percentile beside an attack, as a multiple of the one before, must be below this
    #[arg(long, default_value_t = 2.0)]
    slower_max: f64,
    /// The memory of each process must stay below this many megabytes
    #[arg(long, default_value_t = 200.0)]
    megabytes_max: f64,
    #[command(flatten)]
    lengths: Lengths,
}

/// Runs each attack against each build, prints a table, and fails if a bound was not kept.
pub(crate) async fn run(settings: &Settings, rounds: &rounds::Settings) -> anyhow::Result<()> {
    let kinds =
        if settings.kinds.is_empty() { Kind::value_variants() } else { &settings.kinds[..] };
    let builds = rounds.builds();
    let targets = builds.iter().map(|build| format!("longhold{build}"));
    let width = targets.map(|target| target.len()).max().unwrap_or_default();
    let mut table = Table::new(settings.slower_max, settings.megabytes_max, width);
    for kind in kinds {
        for build in &builds {
            say(&format!("attack {} on longhold{build}", kind.name()));
            let target = format!("longhold{build}");
            let outcome = settings.attack(*kind, build).await.with_context(|| target.clone())?;
            say(&table.add(kind.name(), target, outcome));
        }
    }
    println!("{table}");
    rounds.write_json(&Value::Array(table.to_json()))?;
    ensure!(table.is_kept(), "an attack was noticed: see the last column of the table");
    Ok(())
}

impl Settings {
    /// Measures the clients alone, then beside one attack.
    async fn attack(&self, kind: Kind, build: &Build) -> anyhow::Result<Outcome> {
        let silent = SilentService::start().await?;
        let pages = kind::pages()?;
        let settings = kind::gateway_settings(silent.address(), pages.path());
        let attacked = build.start_attacked(&settings, kind.files_max()).await?;
        let alone = self.clients(&attacked, build).await.context("before the attack")?;
        let memory = PeakMemory::watch(&attacked.running);
        let peers = Peers::begin(kind.groups(&attacked), self.lengths.warm_up).await;
        // Clients that get no answer are the outcome of an attack, and do not end the tool.
        let beside = self.clients(&attacked, build).await;
        let health = peers::is_healthy(attacked.internal).await;
        let held = peers.held();
        drop(peers);
        let megabytes = memory.megabytes();
        Ok(Outcome {
            alone,
            beside: beside.map_err(|error| format!("{error:#}")),
            health,
            held,
            megabytes,
        })
    }

    async fn clients(&self, attacked: &AttackedTarget, build: &Build) -> anyhow::Result<Figures> {
        let clients = latency::Settings::at_rate(self.rate, self.connections, self.lengths);
        let target = Target::Longhold(build.clone());
        latency::measure(&clients, &target, &attacked.running).await
    }
}
