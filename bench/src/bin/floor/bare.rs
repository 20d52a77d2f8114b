//! A WebSocket server with nothing behind it: one process, no HTTP.

use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpListener, sync::broadcast};
use tokio_tungstenite::tungstenite::{Message as Frame, Utf8Bytes};

use crate::websocket::{Socket, accept};

/// Messages that a socket may be behind the others before it misses some.
const BROADCAST_QUEUE: usize = 1024;

pub(crate) async fn run(listener: TcpListener) -> anyhow::Result<()> {
    let (all, _) = broadcast::channel(BROADCAST_QUEUE);
    accept(listener, move |socket, path| serve(socket, path, all.clone())).await
}

async fn serve(
    socket: Socket,
    path: String,
    all: broadcast::Sender<Utf8Bytes>,
) -> anyhow::Result<()> {
    if path.starts_with("/all") { tell_all(socket, all).await } else { echo(socket).await }
}

async fn echo(mut socket: Socket) -> anyhow::Result<()> {
    while let Some(Ok(frame)) = socket.next().await {
        if frame.is_text() || frame.is_binary() {
            socket.send(frame).await?;
        }
    }
    Ok(())
}

async fn tell_all(mut socket: Socket, all: broadcast::Sender<Utf8Bytes>) -> anyhow::Result<()> {
    let mut messages = all.subscribe();
    loop {
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Frame::Text(text))) => drop(all.send(text)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
            message = messages.recv() => socket.send(Frame::Text(message?)).await?,
        }
    }
}
