//! tokio-websockets. It sends no pings, and answers pings while it reads.

use std::io;

use client_drivers::{Client, Fault, Job, Message, chosen_subprotocol, run};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_websockets::{
    ClientBuilder, CloseCode, MaybeTlsStream, Message as Frame, WebSocketStream,
};

struct TokioWebSockets {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    subprotocol: Option<String>,
}

impl Client for TokioWebSockets {
    async fn connect(job: &Job) -> Result<Self, Fault> {
        let mut builder = ClientBuilder::new().uri(&job.url)?;
        if let Some(offers) = &job.offers {
            builder = builder.add_header("sec-websocket-protocol".try_into()?, offers.parse()?)?;
        }
        let (socket, answer) = builder.connect().await?;
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
            let frame = self.socket.next().await.ok_or("it was closed")??;
            if let Some(text) = frame.as_text() {
                return Ok(Message::Text(text.to_owned()));
            }
            if frame.is_binary() {
                return Ok(Message::Binary(frame.into_payload().to_vec()));
            }
        }
    }

    async fn close(mut self, code: Option<u16>) -> Result<(), Fault> {
        let code = code.map(CloseCode::try_from).transpose()?;
        match code {
            None => self.socket.close().await?,
            Some(code) => self.socket.send(Frame::close(Some(code), "")).await?,
        }
        while let Some(frame) = self.socket.next().await {
            frame?;
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    run::<TokioWebSockets>()
}
