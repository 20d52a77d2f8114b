//! WebSocket clients.

use std::{iter, net::SocketAddr, time::Duration};

use anyhow::{Context, bail};
use futures_util::{Stream, StreamExt, future::try_join_all};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Error, Message, Utf8Bytes, protocol::WebSocketConfig},
};

use crate::target::running::{RunningTarget, Scenario};

pub(crate) type WebSocketClient = WebSocketStream<TcpStream>;

/// Small, so that many clients fit into one process.
const READ_BUFFER_BYTES: usize = 1 << 10;
/// How many clients are connected at the same time.
pub(crate) const AT_ONCE: usize = 64;
/// How long a load waits for outstanding answers after its period.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
/// How long a target may take until it listens.
const READY_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) async fn connect(address: SocketAddr, path: &str) -> anyhow::Result<WebSocketClient> {
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        let url = format!("ws://{address}{path}");
        let (client, _) = client_async_with_config(url, stream, Some(config))
            .await
            .context("handshake failed")?;
        Ok(client)
    };
    timeout(CONNECT_TIMEOUT, connecting).await.context("could not connect in time")?
}

/// Connects `count` clients.
pub(crate) async fn connect_all(
    running: &RunningTarget,
    scenario: Scenario,
    count: usize,
) -> anyhow::Result<Vec<WebSocketClient>> {
    let mut clients = Vec::with_capacity(count);
    while clients.len() < count {
        let batch = AT_ONCE.min(count - clients.len());
        let opening =
            (0..batch).map(async |_| connect(running.public, &running.paths.next(scenario)).await);
        clients.extend(try_join_all(opening).await?);
    }
    Ok(clients)
}

/// The next message. A binary message is an error.
pub(crate) async fn next_text(
    client: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
) -> anyhow::Result<Utf8Bytes> {
    loop {
        match client.next().await.context("the connection ended")?? {
            Message::Text(text) => return Ok(text),
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("got {other:?}"),
        }
    }
}

/// `head`, filled up to a length of `bytes`. Longer if `head` is longer.
pub(crate) fn text_of(mut head: String, bytes: usize) -> String {
    head.extend(iter::repeat_n('-', bytes.saturating_sub(head.len())));
    head
}

/// Waits until a server accepts connections at `address`.
pub(crate) async fn wait_for(address: SocketAddr) -> anyhow::Result<()> {
    until_it_succeeds(|| TcpStream::connect(address)).await
}

/// Waits until a server accepts WebSockets at `address`. It may accept connections earlier.
pub(crate) async fn wait_for_handshake(address: SocketAddr) -> anyhow::Result<()> {
    until_it_succeeds(|| connect(address, "/ready")).await
}

async fn until_it_succeeds<T, E>(attempt: impl AsyncFn() -> Result<T, E>) -> anyhow::Result<()> {
    let succeeding = async {
        while attempt().await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(READY_TIMEOUT, succeeding).await.context("the target did not get ready in time")
}
