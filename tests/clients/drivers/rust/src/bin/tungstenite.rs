//! tungstenite, which blocks. It sends no pings, and answers pings while it reads.

use std::{
    io,
    net::TcpStream,
    time::{Duration, Instant},
};

use client_drivers::{Client, Fault, Job, Message, chosen_subprotocol, run};
use tungstenite::{
    Error, WebSocket,
    client::IntoClientRequest,
    protocol::{CloseFrame, Message as Frame},
    stream::MaybeTlsStream,
};

struct Tungstenite {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    subprotocol: Option<String>,
}

impl Client for Tungstenite {
    async fn connect(job: &Job) -> Result<Self, Fault> {
        let mut request = job.url.as_str().into_client_request()?;
        if let Some(offers) = &job.offers {
            request.headers_mut().insert("Sec-WebSocket-Protocol", offers.parse()?);
        }
        let (socket, answer) = tungstenite::connect(request)?;
        let subprotocol = chosen_subprotocol(answer.headers())?;
        Ok(Self { socket, subprotocol })
    }

    fn subprotocol(&self) -> Option<String> {
        self.subprotocol.clone()
    }

    async fn send(&mut self, message: Message) -> Result<(), Fault> {
        Ok(self.socket.send(match message {
            Message::Text(text) => Frame::text(text),
            Message::Binary(bytes) => Frame::binary(bytes),
        })?)
    }

    async fn receive(&mut self) -> Result<Message, Fault> {
        loop {
            match self.socket.read()? {
                Frame::Text(text) => return Ok(Message::Text(text.as_str().to_owned())),
                Frame::Binary(bytes) => return Ok(Message::Binary(bytes.to_vec())),
                Frame::Close(frame) => return Err(format!("closed with {frame:?}").into()),
                Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => {}
            }
        }
    }

    async fn idle(&mut self, duration: Duration) -> Result<(), Fault> {
        let end = Instant::now() + duration;
        while let rest = end.saturating_duration_since(Instant::now())
            && !rest.is_zero()
        {
            self.limit(Some(rest))?;
            match self.socket.read() {
                Ok(Frame::Ping(_)) => {}
                Ok(other) => return Err(format!("{other:?} came").into()),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.limit(None)
    }

    async fn close(mut self, code: Option<u16>) -> Result<(), Fault> {
        self.socket.close(code.map(|code| CloseFrame { code: code.into(), reason: "".into() }))?;
        loop {
            match self.socket.read() {
                Ok(_) => {}
                Err(Error::ConnectionClosed) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Tungstenite {
    fn limit(&self, timeout: Option<Duration>) -> Result<(), Fault> {
        match self.socket.get_ref() {
            MaybeTlsStream::Plain(stream) => Ok(stream.set_read_timeout(timeout)?),
            _ => Err("a stream with TLS".into()),
        }
    }
}

fn main() -> io::Result<()> {
    run::<Tungstenite>()
}
