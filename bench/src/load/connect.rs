//! Connections that come and go: handshake, register, Close, cleanup. Where a target has no
//! register and no cleanup, handshake and Close alone.

use std::{net::SocketAddr, time::Instant};

use clap::Args;
use futures_util::{StreamExt, future::try_join_all};

use crate::{
    client::connect,
    figures::Figures,
    latencies::Latencies,
    period::{Lengths, Period},
    progress::Progress,
    target::{
        Target,
        running::{Paths, Running, Scene},
    },
};

#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// Connections that are being opened or closed at once
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
    running: &Running,
) -> anyhow::Result<Figures> {
    let period = Period::begin(settings.lengths);
    let latencies = Latencies::new();
    let _progress = Progress::of(format!("connect {target}"), latencies.clone());
    let clients = (0..settings.connections).map(|_| {
        let paths = running.paths.clone();
        tokio::spawn(come_and_go(running.public, paths, period, latencies.clone()))
    });
    let clients = try_join_all(clients.collect::<Vec<_>>());
    let (cpu, clients) = tokio::join!(period.cpu(running), clients);
    for client in clients? {
        client?;
    }
    let count = latencies.count() as f64;
    let mut figures = Figures::default();
    figures.add("connections_per_s", count / period.seconds());
    latencies.tell(&mut figures);
    figures.add("cpu_us_per_connection", cpu?.as_secs_f64() * 1e6 / count);
    Ok(figures)
}

/// Each time until the Close was answered.
async fn come_and_go(
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
        let mut client = connect(address, &paths.next(Scene::Visit)).await?;
        client.close(None).await?;
        while let Some(Ok(_)) = client.next().await {}
        let end = Instant::now();
        if period.counts(end) {
            latencies.record(end - start);
        }
    }
}
