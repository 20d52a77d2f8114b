//! Memory of the gateway per connection that is open and quiet.

use anyhow::Context;
use clap::Args;
use futures_util::future::try_join_all;

use crate::{client::connect, services::Services};

/// How many are opened at once.
const AT_ONCE: usize = 200;

/// What is measured.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 15_000)]
    connections: usize,
}

pub(crate) async fn measure(settings: Settings) -> anyhow::Result<()> {
    let services = Services::start().await?;
    // What the first connections cost once, such as threads and pools, is not theirs.
    let warm = try_join_all((0..AT_ONCE).map(|_| connect(services.public, "/bench/chat"))).await?;
    drop(warm);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let before = services.gateway_rss()?;
    let mut clients = Vec::with_capacity(settings.connections);
    while clients.len() < settings.connections {
        let batch = AT_ONCE.min(settings.connections - clients.len());
        clients.extend(
            try_join_all((0..batch).map(|_| connect(services.public, "/bench/chat"))).await?,
        );
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let after = services.gateway_rss()?;
    let each = after.saturating_sub(before) / u64::try_from(clients.len()).context("too many")?;
    println!(
        "idle: {} connections: gateway RSS {} -> {} kB, {each} bytes each",
        clients.len(),
        before / 1024,
        after / 1024,
    );
    Ok(())
}
