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

pub(crate) type WebSocket = WebSocketStream<TcpStream>;

/// The same as in Longhold. The default of 128 KiB would be most of the memory of an idle socket.
const READ_BUFFER_BYTES: usize = 2 << 10;

/// Accepts connections until the process ends. `prepare` is called before each handshake. The
/// closure that it returns is called with the socket and the path of the client's URL.
pub(crate) async fn accept<P, T>(
    listener: TcpListener,
    prepare: impl Fn() -> P,
) -> anyhow::Result<()>
where
    P: FnOnce(WebSocket, String) -> T + Send + 'static,
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

async fn handshake(stream: TcpStream) -> anyhow::Result<(WebSocket, String)> {
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
