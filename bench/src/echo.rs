//! Echo through the whole loop: client, gateway, function, push, client.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use futures_util::{SinkExt, StreamExt, future::try_join_all};
use hdrhistogram::Histogram;
use tokio_tungstenite::tungstenite::Message;

use crate::{client::connect, services::Services};

/// What is measured.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 64)]
    connections: usize,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Bytes of each message
    #[arg(long, default_value_t = 128)]
    bytes: usize,
}

pub(crate) async fn measure(settings: Settings) -> anyhow::Result<()> {
    let services = Services::start().await?;
    let start = Instant::now();
    let until = start + Duration::from_secs(settings.seconds);
    let clients = (0..settings.connections)
        .map(|number| tokio::spawn(echo(services.public, number, settings.bytes, until)));
    let mut latencies = Histogram::<u64>::new(3)?;
    for histogram in try_join_all(clients).await? {
        latencies.add(histogram?)?;
    }
    let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
    let quantile = |q| latencies.value_at_quantile(q);
    println!(
        "echo: {} connections, {} bytes: {} messages, {rate:.0}/s, none lost, none out of order; \
         p50 {} us, p99 {} us, max {} us",
        settings.connections,
        settings.bytes,
        latencies.len(),
        quantile(0.5),
        quantile(0.99),
        latencies.max(),
    );
    Ok(())
}

/// One connection. Each message is numbered, so a lost or overtaken one is an error.
async fn echo(
    address: SocketAddr,
    connection: usize,
    bytes: usize,
    until: Instant,
) -> anyhow::Result<Histogram<u64>> {
    let mut client = connect(address, "/bench/echo").await?;
    let mut latencies = Histogram::new(3)?;
    for number in 0_u64.. {
        let start = Instant::now();
        if start >= until {
            break;
        }
        let text = format!("{:-<bytes$}", format!("{connection} {number} "));
        client.send(Message::text(text.as_str())).await?;
        let answer = loop {
            match client.next().await.context("the connection ended")?? {
                Message::Text(answer) => break answer,
                Message::Ping(_) | Message::Pong(_) => {}
                other => anyhow::bail!("got {other:?}"),
            }
        };
        ensure!(answer.as_str() == text, "sent {text:?}, got {answer:?}");
        latencies.record(u64::try_from(start.elapsed().as_micros())?)?;
    }
    client.close(None).await?;
    Ok(latencies)
}
