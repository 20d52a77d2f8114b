//! Accepts WebSockets.

use std::io;

use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        handshake::server::{Request, Response},
        protocol::WebSocketConfig,
    },
};

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// What Longhold has too; the default of 128 KiB would be most of the memory of a quiet one.
const READ_BUFFER_BYTES: usize = 2 << 10;

/// Accepts for as long as the process lives. Each time `prepare` comes before the handshake, and
/// what it made takes the socket and the path that its client asked for.
pub(crate) async fn accept<P, T>(
    listener: TcpListener,
    prepare: impl Fn() -> P,
) -> anyhow::Result<()>
where
    P: FnOnce(Socket, String) -> T + Send + 'static,
    T: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        let take = prepare();
        tokio::spawn(async move {
            let (socket, path) = handshake(stream).await?;
            take(socket, path).await
        });
    }
}

async fn handshake(stream: TcpStream) -> anyhow::Result<(Socket, String)> {
    stream.set_nodelay(true)?;
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the library wants this shape")]
    let see = |request: &Request, response: Response| {
        request.uri().path().clone_into(&mut path);
        Ok(response)
    };
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    let socket = accept_hdr_async_with_config(stream, see, Some(config)).await;
    Ok((socket.map_err(io::Error::other)?, path))
}
