//! Connections that come and go: handshake, register, Close, cleanup.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use clap::Args;
use futures_util::{StreamExt, future::try_join_all};

use crate::{client::connect, services::Services};

/// What is measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// Connections that are being opened or closed at once
    #[arg(long, default_value_t = 64)]
    connections: usize,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Values of journal.sync, measured in turn
    #[arg(long, value_delimiter = ',', default_value = "process")]
    journal: Vec<String>,
    #[arg(long, default_value_t = 1)]
    rounds: usize,
}

pub(crate) async fn measure(settings: Settings) -> anyhow::Result<()> {
    let mut rates = vec![Vec::new(); settings.journal.len()];
    for _ in 0..settings.rounds {
        for (journal, rates) in settings.journal.iter().zip(&mut rates) {
            let rate = cycle(&settings, journal).await?;
            rates.push(rate);
        }
    }
    let medians: Vec<_> = rates.iter_mut().map(|rates| median(rates)).collect();
    for (journal, rate) in settings.journal.iter().zip(&medians) {
        let ratio = rate / medians[0];
        println!(
            "median of {}, journal.sync {journal}: {rate:.0}/s, {ratio:.3} of the first",
            settings.rounds
        );
    }
    Ok(())
}

async fn cycle(settings: &Settings, journal: &str) -> anyhow::Result<f64> {
    let services = Services::start_with(journal).await?;
    let start = Instant::now();
    let until = start + Duration::from_secs(settings.seconds);
    let clients =
        (0..settings.connections).map(|_| tokio::spawn(come_and_go(services.public, until)));
    let mut count = 0;
    for cycles in try_join_all(clients).await? {
        count += cycles?;
    }
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    let cpu = services.gateway_cpu()?.as_secs_f64() * 1e6 / f64::from(count);
    println!(
        "connect, journal.sync {journal}: {rate:.0}/s, {cpu:.1} us of the gateway's processor time each"
    );
    Ok(rate)
}

/// Each time until the gateway has answered the Close.
async fn come_and_go(address: SocketAddr, until: Instant) -> anyhow::Result<u32> {
    let mut count = 0;
    while Instant::now() < until {
        let mut client = connect(address, "/bench/chat").await?;
        client.close(None).await?;
        while let Some(Ok(_)) = client.next().await {}
        count += 1;
    }
    Ok(count)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
