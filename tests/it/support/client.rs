//! WebSocket clients: one that follows the protocol, and raw connections for violating it.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use http::{Request, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        handshake::client::Response as HandshakeResponse,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::soon;

/// A connected client.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
    pub(crate) response: HandshakeResponse,
}

/// The answer to a handshake that was refused.
pub(crate) type Refused = Response<Vec<u8>>;

impl Client {
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Result<Self, Refused> {
        Self::connect_with(request(address, path)).await
    }

    pub(crate) async fn connect_with(request: Request<()>) -> Result<Self, Refused> {
        let stream = TcpStream::connect(request.uri().authority().unwrap().as_str()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        match soon("a handshake", client_async(request, stream)).await {
            Ok((socket, response)) => Ok(Self { socket, response }),
            Err(Error::Http(response)) => Err(response.map(Option::unwrap_or_default)),
            Err(error) => panic!("handshake failed: {error}"),
        }
    }

    pub(crate) async fn send(&mut self, message: impl Into<Message>) {
        soon("the end of a send", self.socket.send(message.into())).await.unwrap();
    }

    /// The next message that is not a ping or pong.
    pub(crate) async fn receive(&mut self) -> Message {
        loop {
            let message = soon("a message", self.socket.next()).await.unwrap().unwrap();
            if !message.is_ping() && !message.is_pong() {
                return message;
            }
        }
    }

    pub(crate) async fn receive_text(&mut self) -> String {
        match self.receive().await {
            Message::Text(text) => text.to_string(),
            other => panic!("not a text: {other:?}"),
        }
    }

    /// Reads until the gateway closes; the close code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match self.receive().await {
                Message::Close(Some(frame)) => {
                    // Lets the library answer the Close and see the end of the stream.
                    while let Some(Ok(_)) = soon("the end", self.socket.next()).await {}
                    return frame.code.into();
                }
                Message::Close(None) => panic!("closed without a code"),
                _ => {}
            }
        }
    }

    /// Closes properly, and waits for the gateway's answer.
    pub(crate) async fn close(mut self, code: CloseCode) {
        let frame = CloseFrame { code, reason: "".into() };
        self.socket.close(Some(frame)).await.unwrap();
        while let Some(Ok(_)) = soon("the end", self.socket.next()).await {}
    }

    /// The TCP connection, for sending raw bytes.
    pub(crate) fn into_raw(self) -> TcpStream {
        self.socket.into_inner()
    }
}

/// A correct handshake request.
pub(crate) fn request(address: SocketAddr, path: &str) -> Request<()> {
    format!("ws://{address}{path}").into_client_request().unwrap()
}

/// Sends raw bytes on a new connection, and reads until its end.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    received(stream).await
}

/// Reads until the end of a connection.
pub(crate) async fn received(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer counts as the end.
    let _ = soon("an answer", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}
