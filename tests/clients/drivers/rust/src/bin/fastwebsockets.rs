//! fastwebsockets, with the handshake of hyper. It sends no pings, and answers pings while it
//! reads.

use std::{future::Future, io};

use client_drivers::{Client, Fault, Job, Message, chosen_subprotocol, run};
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, handshake};
use http_body_util::Empty;
use hyper::{Request, Uri, body::Bytes, rt::Executor, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

struct FastWebSockets {
    socket: FragmentCollector<TokioIo<Upgraded>>,
    subprotocol: Option<String>,
}

struct Spawn;

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Spawn {
    fn execute(&self, future: F) {
        tokio::spawn(future);
    }
}

impl Client for FastWebSockets {
    async fn connect(job: &Job) -> Result<Self, Fault> {
        let uri: Uri = job.url.parse()?;
        let authority = uri.authority().ok_or("no authority")?.as_str();
        let mut request = Request::get(uri.path_and_query().ok_or("no path")?.as_str())
            .header("Host", authority)
            .header("Upgrade", "websocket")
            .header("Connection", "upgrade")
            .header("Sec-WebSocket-Key", handshake::generate_key())
            .header("Sec-WebSocket-Version", "13");
        if let Some(offers) = &job.offers {
            request = request.header("Sec-WebSocket-Protocol", offers);
        }
        let stream = TcpStream::connect(authority).await?;
        let request = request.body(Empty::<Bytes>::new())?;
        let (socket, answer) = handshake::client(&Spawn, request, stream).await?;
        let subprotocol = chosen_subprotocol(answer.headers())?;
        Ok(Self { socket: FragmentCollector::new(socket), subprotocol })
    }

    fn subprotocol(&self) -> Option<String> {
        self.subprotocol.clone()
    }

    async fn send(&mut self, message: Message) -> Result<(), Fault> {
        let frame = match message {
            Message::Text(text) => Frame::text(Payload::Owned(text.into_bytes())),
            Message::Binary(bytes) => Frame::binary(Payload::Owned(bytes)),
        };
        Ok(self.socket.write_frame(frame).await?)
    }

    async fn receive(&mut self) -> Result<Message, Fault> {
        let frame = self.socket.read_frame().await?;
        match frame.opcode {
            OpCode::Text => Ok(Message::Text(String::from_utf8(frame.payload.to_vec())?)),
            OpCode::Binary => Ok(Message::Binary(frame.payload.to_vec())),
            other => Err(format!("{other:?} came").into()),
        }
    }

    async fn close(mut self, code: Option<u16>) -> Result<(), Fault> {
        self.socket.write_frame(Frame::close(code.unwrap_or(1000), b"")).await?;
        self.socket.read_frame().await?;
        Ok(())
    }
}

fn main() -> io::Result<()> {
    run::<FastWebSockets>()
}
