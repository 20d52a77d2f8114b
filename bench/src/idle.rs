//! Memory of the gateway per connection that is open and quiet.

use std::net::SocketAddr;

use anyhow::Context;
use clap::Args;
use futures_util::{SinkExt, StreamExt, future::try_join_all};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::{Client, connect},
    services::Services,
};

/// How many are opened at once.
const AT_ONCE: usize = 200;

/// What is measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    #[arg(long, default_value_t = 15_000)]
    connections: usize,
    /// Bytes of a message that each connection echoes before it falls quiet; 0 for none
    #[arg(long, default_value_t = 0)]
    spoken: usize,
    /// The value of journal.sync
    #[arg(long, default_value = "process")]
    journal: String,
}

pub(crate) async fn measure(settings: Settings) -> anyhow::Result<()> {
    let services = Services::start_with(&settings.journal).await?;
    // What the first connections cost once, such as threads and pools, is not theirs.
    let warm = try_join_all((0..AT_ONCE).map(|_| connect(services.public, "/bench/chat"))).await?;
    drop(warm);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let before = services.gateway_rss()?;
    let mut clients = Vec::with_capacity(settings.connections);
    while clients.len() < settings.connections {
        let batch = AT_ONCE.min(settings.connections - clients.len());
        let opening = (0..batch).map(|_| open(services.public, settings.spoken));
        clients.extend(try_join_all(opening).await?);
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let after = services.gateway_rss()?;
    let each = after.saturating_sub(before) / u64::try_from(clients.len()).context("too many")?;
    println!(
        "idle: {} connections, {} bytes spoken: gateway RSS {} -> {} kB, {each} bytes each",
        clients.len(),
        settings.spoken,
        before / 1024,
        after / 1024,
    );
    Ok(())
}

/// A connection with a register function; or one that has echoed a message.
async fn open(address: SocketAddr, spoken: usize) -> anyhow::Result<Client> {
    if spoken == 0 {
        return connect(address, "/bench/chat").await;
    }
    let mut client = connect(address, "/bench/echo").await?;
    client.send(Message::text("x".repeat(spoken))).await?;
    client.next().await.context("the connection ended")??;
    Ok(client)
}
