//! Measures the two services as they are deployed: release binaries, real sockets, loopback only.
//!
//! Build first (`cargo build --release --workspace`), then `target/release/bench echo`, `connect` or `idle`.
//! The services are started by the tool itself, beside which their binaries lie.

#![allow(clippy::print_stdout, reason = "figures are what this tool is for")]

mod client;
mod connect;
mod echo;
mod idle;
mod services;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    measure: Measure,
}

#[derive(Debug, Subcommand)]
enum Measure {
    /// Echo through the whole loop, closed-loop: each connection sends when it has its answer
    Echo(echo::Settings),
    /// Connections that come and go: handshake, register, Close, cleanup
    Connect(connect::Settings),
    /// Memory of the gateway per connection that is open and quiet
    Idle(idle::Settings),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().measure {
        Measure::Echo(settings) => echo::measure(settings).await,
        Measure::Connect(settings) => connect::measure(settings).await,
        Measure::Idle(settings) => idle::measure(settings).await,
    }
}
