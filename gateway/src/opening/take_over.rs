//! Takes the stream of a connection out of hyper after the 101.

use std::time::Duration;

use daemon::{serve::take_stream, stream::Stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use shared::connection_id::ConnectionId;
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tracing::{debug, error};

use crate::registry::End;

/// How long the Close may take to be written.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The stream without the layers that served HTTP on it, and the bytes that they have read after
/// the request.
///
/// None if hyper holds another type of stream than the listener gave to it. That is a mistake in
/// this program. The client has been closed with 1011 then.
pub(super) async fn take_over(id: ConnectionId, upgraded: Upgraded) -> Option<(Vec<u8>, Stream)> {
    match take_stream(upgraded) {
        Ok(taken) => Some(taken),
        Err(upgraded) => {
            error!(
                connection.id = %id,
                "closed connection {id} with 1011: hyper holds another type of stream",
            );
            close(TokioIo::new(upgraded)).await;
            None
        }
    }
}

async fn close(mut stream: TokioIo<Upgraded>) {
    let mut bytes = Vec::new();
    Frame::close(End::MISTAKE.close_frame())
        .format(&mut bytes)
        .expect("a Vec takes all that is written");
    let written = timeout(CLOSE_TIMEOUT, async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await
    });
    if let Ok(Err(error)) = written.await {
        debug!(%error, "close frame not written");
    }
}

#[cfg(test)]
mod tests;
