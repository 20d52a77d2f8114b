//! A WebSocket server without a backend: one process, no HTTP.

use anyhow::Result;
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpListener, sync::broadcast};
use tokio_tungstenite::tungstenite::{Message as Frame, Utf8Bytes};

use crate::websocket::{WebSocket, accept};

/// How many broadcast messages a slow socket can have outstanding. With more it fails.
const BROADCAST_QUEUE: usize = 1024;

type Sender = broadcast::Sender<Utf8Bytes>;
type Receiver = broadcast::Receiver<Utf8Bytes>;

pub(crate) async fn run(listener: TcpListener) -> Result<()> {
    let (all, _) = broadcast::channel(BROADCAST_QUEUE);
    accept(listener, || {
        // Subscribed before the handshake, so that a client misses no message after it.
        let (all, messages) = (all.clone(), all.subscribe());
        move |socket, path| serve(socket, path, all, messages)
    })
    .await
}

async fn serve(socket: WebSocket, path: String, all: Sender, messages: Receiver) -> Result<()> {
    if path.starts_with("/all") {
        broadcast_all(socket, all, messages).await
    } else {
        drop(messages);
        echo(socket).await
    }
}

async fn echo(mut socket: WebSocket) -> Result<()> {
    while let Some(Ok(frame)) = socket.next().await {
        if frame.is_text() || frame.is_binary() {
            socket.send(frame).await?;
        }
    }
    Ok(())
}

async fn broadcast_all(mut socket: WebSocket, all: Sender, mut messages: Receiver) -> Result<()> {
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
