//! Clients that connect and close: handshake, register, Close, cleanup. For targets without
//! register and cleanup only handshake and Close.

use std::{net::SocketAddr, time::Instant};

use clap::Args;
use futures_util::{StreamExt, future::try_join_all};

use crate::{
    client::connect,
    figures::Figures,
    latencies::Latencies,
    period::{Lengths, Period},
    progress::ProgressLine,
    target::{
        Target,
        running::{Paths, RunningTarget, Scenario},
    },
};

#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// How many clients connect and close at the same time
    #[arg(long, default_value_t = 64)]
    connections: usize,
    #[command(flatten)]
    lengths: Lengths,
}

impl Settings {
    pub(super) fn describe(&self) -> String {
        format!("{} at once, {}", self.connections, self.lengths)
    }
}

pub(super) async fn measure(
    settings: &Settings,
    target: &Target,
    running: &RunningTarget,
) -> anyhow::Result<Figures> {
    let period = Period::begin(settings.lengths);
    let latencies = Latencies::new();
    let _progress = ProgressLine::of(format!("connect {target}"), latencies.clone());
    let clients = (0..settings.connections).map(|_| {
        let paths = running.paths.clone();
        tokio::spawn(connect_repeatedly(running.public, paths, period, latencies.clone()))
    });
    let clients = try_join_all(clients.collect::<Vec<_>>());
    let (cpu, clients) = tokio::join!(period.cpu(running), clients);
    for client in clients? {
        client?;
    }
    let count = latencies.count() as f64;
    let mut figures = Figures::default();
    figures.add("connections_per_s", count / period.seconds());
    latencies.add_to(&mut figures);
    figures.add("cpu_us_per_connection", cpu?.as_secs_f64() * 1e6 / count);
    Ok(figures)
}

/// Connects, closes and waits for the answer to the Close, until the period is over.
async fn connect_repeatedly(
    address: SocketAddr,
    paths: Paths,
    period: Period,
    latencies: Latencies,
) -> anyhow::Result<()> {
    loop {
        let start = Instant::now();
        if period.is_over(start) {
            return Ok(());
        }
        let mut client = connect(address, &paths.next(Scenario::Connect)).await?;
        client.close(None).await?;
        while let Some(Ok(_)) = client.next().await {}
        let end = Instant::now();
        if period.counts(end) {
            latencies.record(end - start);
        }
    }
}
