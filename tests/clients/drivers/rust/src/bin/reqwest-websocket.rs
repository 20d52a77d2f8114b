//! reqwest-websocket. It sends no pings, and answers pings while it reads.

use std::io;

use client_drivers::{Client, Fault, Job, Message, run};
use futures_util::{SinkExt, StreamExt};
use reqwest_websocket::{CloseCode, Message as Frame, Upgrade, WebSocket};

struct ReqwestWebSocket {
    socket: WebSocket,
}

impl Client for ReqwestWebSocket {
    async fn connect(job: &Job) -> Result<Self, Fault> {
        let mut request = reqwest::Client::new().get(&job.url).upgrade();
        if let Some(offers) = &job.offers {
            request = request.protocols(offers.split(',').map(str::to_owned));
        }
        Ok(Self { socket: request.send().await?.into_websocket().await? })
    }

    fn subprotocol(&self) -> Option<String> {
        self.socket.protocol().map(str::to_owned)
    }

    async fn send(&mut self, message: Message) -> Result<(), Fault> {
        let frame = match message {
            Message::Text(text) => Frame::Text(text),
            Message::Binary(bytes) => Frame::Binary(bytes.into()),
        };
        Ok(self.socket.send(frame).await?)
    }

    async fn receive(&mut self) -> Result<Message, Fault> {
        loop {
            match self.socket.next().await.ok_or("it was closed")?? {
                Frame::Text(text) => return Ok(Message::Text(text)),
                Frame::Binary(bytes) => return Ok(Message::Binary(bytes.to_vec())),
                Frame::Close { code, .. } => return Err(format!("closed with {code:?}").into()),
                Frame::Ping(_) | Frame::Pong(_) => {}
            }
        }
    }

    async fn close(self, code: Option<u16>) -> Result<(), Fault> {
        Ok(self.socket.close(code.map_or(CloseCode::Normal, CloseCode::from), None).await?)
    }
}

fn main() -> io::Result<()> {
    run::<ReqwestWebSocket>()
}
