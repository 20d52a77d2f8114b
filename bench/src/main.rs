//! Measures Longhold as it is deployed, beside a floor and its peers: release binaries, real
//! sockets, loopback only.
//!
//! Build first (`cargo build --release --workspace`), then for example `target/release/bench echo`
//! or `target/release/bench compare echo`. The tool starts all processes itself; our binaries lie
//! beside it. `bench/README.md` says what each measure means.

#![allow(clippy::print_stdout, reason = "figures are what this tool is for")]
#![allow(clippy::print_stderr, reason = "stderr is where it tells how far it is")]

mod client;
mod figures;
mod growth;
mod latencies;
mod load;
mod period;
mod plot;
mod process;
mod progress;
mod report;
mod rounds;
mod target;

use anyhow::bail;
use clap::{Parser, Subcommand};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use self::load::Load;

/// Measures Longhold beside a floor and its peers.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    rounds: rounds::Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Measure(Load),
    /// The same measure against several targets in turn
    Compare {
        #[command(subcommand)]
        load: Load,
    },
    /// The echo, while connections or messages grow; with plots
    Growth(growth::Settings),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { command, rounds } = Arguments::parse();
    // Clients are many, and children inherit it.
    let (_, files) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, files, files)?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Leaving this way drops what was started, and that ends it.
    tokio::select! {
        ended = run(command, rounds) => ended,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    }
}

async fn run(command: Command, rounds: rounds::Settings) -> anyhow::Result<()> {
    match command {
        Command::Measure(load) => rounds.run(&load).await,
        Command::Compare { load } => rounds.comparing().run(&load).await,
        Command::Growth(settings) => growth::run(&settings, rounds).await,
    }
}
