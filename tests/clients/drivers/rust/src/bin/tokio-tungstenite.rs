//! tokio-tungstenite. It sends no pings, and answers pings while it reads.

use std::io;

use client_drivers::{Client, Fault, Job, Message, chosen_subprotocol, run};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        client::IntoClientRequest,
        protocol::{CloseFrame, Message as Frame},
    },
};

struct TokioTungstenite {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    subprotocol: Option<String>,
}

impl Client for TokioTungstenite {
    async fn connect(job: &Job) -> Result<Self, Fault> {
        let mut request = job.url.as_str().into_client_request()?;
        if let Some(offers) = &job.offers {
            request.headers_mut().insert("Sec-WebSocket-Protocol", offers.parse()?);
        }
        let (socket, answer) = connect_async(request).await?;
        let subprotocol = chosen_subprotocol(answer.headers())?;
        Ok(Self { socket, subprotocol })
    }

    fn subprotocol(&self) -> Option<String> {
        self.subprotocol.clone()
    }

    async fn send(&mut self, message: Message) -> Result<(), Fault> {
        let frame = match message {
            Message::Text(text) => Frame::text(text),
            Message::Binary(bytes) => Frame::binary(bytes),
        };
        Ok(self.socket.send(frame).await?)
    }

    async fn receive(&mut self) -> Result<Message, Fault> {
        loop {
            match self.socket.next().await.ok_or("it was closed")?? {
                Frame::Text(text) => return Ok(Message::Text(text.as_str().to_owned())),
                Frame::Binary(bytes) => return Ok(Message::Binary(bytes.to_vec())),
                Frame::Close(frame) => return Err(format!("closed with {frame:?}").into()),
                Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => {}
            }
        }
    }

    async fn close(mut self, code: Option<u16>) -> Result<(), Fault> {
        let frame = code.map(|code| CloseFrame { code: code.into(), reason: "".into() });
        self.socket.close(frame).await?;
        while let Some(frame) = self.socket.next().await {
            frame?;
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    run::<TokioTungstenite>()
}
