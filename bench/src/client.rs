//! WebSocket clients.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config, tungstenite::protocol::WebSocketConfig,
};

pub(crate) type Client = WebSocketStream<TcpStream>;

/// Small, so that many clients fit into one process.
const READ_BUFFER_BYTES: usize = 1 << 10;

pub(crate) async fn connect(address: SocketAddr, path: &str) -> anyhow::Result<Client> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    let url = format!("ws://{address}{path}");
    let (client, _) =
        client_async_with_config(url, stream, Some(config)).await.context("handshake failed")?;
    Ok(client)
}
