//! Measures Longhold and compares it with a floor and its peers: release binaries, real sockets,
//! loopback only.
//!
//! Build first (`cargo build --release --workspace`), then for example `target/release/bench echo`
//! or `target/release/bench compare echo`. The tool starts all processes itself, from the binaries
//! in its own folder. `bench/README.md` explains each measure.

#![allow(clippy::print_stdout, reason = "the tool prints its figures")]
#![allow(clippy::print_stderr, reason = "the tool prints its progress")]

mod attack;
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

/// Measures Longhold and compares it with a floor and its peers.
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
    /// Echo beside clients and callers that hold what they can: each attack in turn
    Attack(attack::Settings),
    /// Echo with more and more connections, or larger and larger messages; with plots
    Growth(growth::Settings),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { command, rounds } = Arguments::parse();
    // Many clients need many files. The child processes inherit this limit.
    let (_, files) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, files, files)?;
    let mut terminate = signal(SignalKind::terminate())?;
    // On a signal the future of `run` is dropped, which ends the processes that it has started.
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
        Command::Attack(settings) => attack::run(&settings, &rounds).await,
        Command::Growth(settings) => growth::run(&settings, rounds).await,
    }
}
