//! Memory per idle connection, in the process that holds the sockets.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use futures_util::{SinkExt, future::try_join_all};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::{AT_ONCE, connect_all, next_text},
    figures::Figures,
    progress::say,
    target::{
        Target,
        running::{RunningTarget, Scenario},
    },
};

#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 15_000)]
    connections: usize,
    /// Size of the one message that each connection echoes first; 0 for no message
    #[arg(long, default_value_t = 0)]
    spoken: usize,
}

impl Settings {
    pub(super) fn describe(&self) -> String {
        format!("{} connections, {} bytes echoed by each", self.connections, self.spoken)
    }

    /// Connections with a register function, or connections that echo a message.
    pub(super) fn scenario(&self) -> Scenario {
        if self.spoken == 0 { Scenario::Connect } else { Scenario::Echo }
    }
}

pub(super) async fn measure(
    settings: &Settings,
    target: &Target,
    running: &RunningTarget,
) -> anyhow::Result<Figures> {
    let scenario = settings.scenario();
    // The first connections also cause one-time costs, such as threads and pools. These are not
    // counted.
    let warm = connect_all(running, scenario, AT_ONCE.min(settings.connections)).await?;
    drop(warm);
    sleep(Duration::from_secs(1)).await;
    let before = running.memory()?;
    say(&format!("idle {target}: opening {}", settings.connections));
    let mut clients = connect_all(running, scenario, settings.connections).await?;
    if settings.spoken > 0 {
        let text = "x".repeat(settings.spoken);
        for clients in clients.chunks_mut(AT_ONCE) {
            try_join_all(clients.iter_mut().map(async |client| {
                client.send(Message::text(text.as_str())).await?;
                next_text(client).await
            }))
            .await?;
        }
    }
    sleep(Duration::from_secs(1)).await;
    let after = running.memory()?;
    let count = u32::try_from(clients.len()).context("too many")?;
    let mut figures = Figures::default();
    figures.add("bytes_each", after.saturating_sub(before) as f64 / f64::from(count));
    figures.add("kilobytes_before", before as f64 / 1024.0);
    figures.add("kilobytes_after", after as f64 / 1024.0);
    Ok(figures)
}
