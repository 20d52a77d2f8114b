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

use crate::target::running::{Running, Scene};

pub(crate) type Client = WebSocketStream<TcpStream>;

/// Small, so that many clients fit into one process.
const READ_BUFFER_BYTES: usize = 1 << 10;
/// How many are opened at once.
pub(crate) const AT_ONCE: usize = 64;
/// How long an answer may take that a load still waits for when its time is over.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
/// How long a target may take until it listens.
const READY: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(20);

pub(crate) async fn connect(address: SocketAddr, path: &str) -> anyhow::Result<Client> {
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
    timeout(CONNECT, connecting).await.context("could not connect in time")?
}

/// So many clients.
pub(crate) async fn connect_all(
    running: &Running,
    scene: Scene,
    count: usize,
) -> anyhow::Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(count);
    while clients.len() < count {
        let batch = AT_ONCE.min(count - clients.len());
        let opening =
            (0..batch).map(async |_| connect(running.public, &running.paths.next(scene)).await);
        clients.extend(try_join_all(opening).await?);
    }
    Ok(clients)
}

/// The next message, which has to be text.
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

/// A text that begins with `head` and has so many bytes, if the head has not more.
pub(crate) fn text_of(mut head: String, bytes: usize) -> String {
    head.extend(iter::repeat_n('-', bytes.saturating_sub(head.len())));
    head
}

/// Waits until somebody accepts connections there.
pub(crate) async fn wait_for(address: SocketAddr) -> anyhow::Result<()> {
    until_it_succeeds(|| TcpStream::connect(address)).await
}

/// Waits until somebody accepts WebSockets there, which may take more than a listener.
pub(crate) async fn wait_for_handshake(address: SocketAddr) -> anyhow::Result<()> {
    until_it_succeeds(|| connect(address, "/ready")).await
}

async fn until_it_succeeds<T, E>(attempt: impl AsyncFn() -> Result<T, E>) -> anyhow::Result<()> {
    let succeeding = async {
        while attempt().await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(READY, succeeding).await.context("it does not get ready")
}
