//! The WebSocket itself: frames in, frames out, and a proper end.
//!
//! Nothing here waits for a function or knows of pushes. Writing only puts frames into a buffer;
//! [`Socket::next`] hands the buffer to the operating system beside reading.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use shared::event::cleanup::CloseReason;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Error, Utf8Bytes,
        error::ProtocolError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tracing::debug;

use super::{BATCH_BYTES, metered::Metered};
use crate::{end::End, message::Message};

/// tungstenite allocates its read buffer up front; at 4 KiB an idle connection stays small.
const READ_BUFFER_BYTES: usize = 4 << 10;

#[derive(Debug)]
pub(super) struct Socket {
    /// None once it is given up.
    stream: Option<WebSocketStream<Metered>>,
    reading: Reading,
    flushing: bool,
}

/// What is done with what the client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Frames,
    /// The client broke the protocol: a Close is on its way to it, and what it still sends is
    /// thrown away. Closing at once instead would make the system send a reset, which may reach
    /// the client before the Close does.
    Discard,
}

/// What happened on the socket.
#[derive(Debug)]
pub(super) enum SocketEvent {
    /// The client sent a message.
    Message(Message),
    /// The client sent something else, so it lives.
    Heard,
    /// All that was written is in the hands of the operating system.
    Flushed,
    /// A Close came, or one had to be sent. The socket should end soon.
    Closing(End),
    /// The socket has ended.
    Ended,
}

impl Socket {
    pub(super) async fn new(stream: TcpStream, early: Vec<u8>, message_bytes_max: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            // Room for a batch, its last message, a reply and control frames. Only a flood of
            // pings by a client that reads nothing gets there, and costs it some of its pongs.
            .max_write_buffer_size(4 * BATCH_BYTES + 2 * message_bytes_max)
            .max_message_size(Some(message_bytes_max))
            .max_frame_size(Some(message_bytes_max));
        let stream = Metered::new(stream);
        let stream =
            WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config)).await;
        Self { stream: Some(stream), reading: Reading::Frames, flushing: false }
    }

    /// Waits for what happens next; reads only if `reads`. Can be dropped without loss.
    pub(super) async fn next(&mut self, reads: bool) -> SocketEvent {
        poll_fn(|cx| self.poll_next(cx, reads)).await
    }

    /// Puts a message into the buffer. False when the socket takes no more.
    pub(super) fn write(&mut self, message: Message) -> bool {
        self.put(message.into())
    }

    pub(super) fn ping(&mut self) {
        self.put(tungstenite::Message::Ping(Bytes::new()));
    }

    /// Puts a Close into the buffer.
    pub(super) fn close(&mut self, code: CloseCode) {
        let frame = CloseFrame { code, reason: Utf8Bytes::default() };
        self.put(tungstenite::Message::Close(Some(frame)));
    }

    /// Gives the socket up, whatever its state: the client sees the end at once, even if a
    /// function still has its last message.
    pub(super) fn abandon(&mut self) {
        self.stream = None;
        self.flushing = false;
    }

    /// Whether something in the buffer has not been taken by the operating system.
    pub(super) fn is_flushing(&self) -> bool {
        self.flushing
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| stream.get_ref().bytes_written())
    }

    /// Every frame goes into tungstenite's buffer, which has no bound of its own: callers write
    /// one batch, then wait for [`SocketEvent::Flushed`].
    fn put(&mut self, message: tungstenite::Message) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        let put = Pin::new(stream).start_send(message);
        if let Err(error) = &put {
            // The reading side learns of the end and tells it.
            debug!(%error, "frame not written");
        }
        self.flushing = true;
        put.is_ok()
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, reads: bool) -> Poll<SocketEvent> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(SocketEvent::Ended) };
        if self.flushing
            && let Poll::Ready(flushed) = Pin::new(stream).poll_flush(cx)
        {
            self.flushing = false;
            return Poll::Ready(match flushed {
                Ok(()) => SocketEvent::Flushed,
                Err(_) => SocketEvent::Ended,
            });
        }
        match self.reading {
            Reading::Frames if reads => self.poll_frame(cx),
            Reading::Frames => Poll::Pending,
            Reading::Discard => self.poll_discard(cx),
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        use tungstenite::Message as Frame;
        let Some(stream) = &mut self.stream else { return Poll::Ready(SocketEvent::Ended) };
        let Some(frame) = ready!(Pin::new(stream).poll_next(cx)) else {
            return Poll::Ready(SocketEvent::Ended);
        };
        Poll::Ready(match frame {
            Ok(Frame::Text(text)) => SocketEvent::Message(Message::Text(text)),
            Ok(Frame::Binary(bytes)) => SocketEvent::Message(Message::Binary(bytes)),
            Ok(Frame::Ping(_)) => {
                // tungstenite has put the Pong into its buffer; reading may be about to pause.
                self.flushing = true;
                SocketEvent::Heard
            }
            Ok(Frame::Pong(_) | Frame::Frame(_)) => SocketEvent::Heard,
            Ok(Frame::Close(frame)) => {
                let code = frame.map(|frame| frame.code);
                SocketEvent::Closing(End { code, reason: CloseReason::Client })
            }
            Err(error) => self.fail(&error),
        })
    }

    /// Answers what tungstenite does not read on after: RFC 6455 section 7.1.7.
    fn fail(&mut self, error: &Error) -> SocketEvent {
        let end = match error {
            Error::Capacity(_) => End::sent(CloseCode::Size, CloseReason::Limit),
            Error::Utf8(_) => End::sent(CloseCode::Invalid, CloseReason::Lost),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                return SocketEvent::Ended;
            }
            Error::Protocol(_) => End::sent(CloseCode::Protocol, CloseReason::Lost),
            _ => return SocketEvent::Ended,
        };
        debug!(%error, "client broke the protocol");
        self.reading = Reading::Discard;
        if let Some(code) = end.code {
            self.close(code);
        }
        SocketEvent::Closing(end)
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(SocketEvent::Ended) };
        let stream = stream.get_mut();
        if !self.flushing && ready!(Pin::new(&mut *stream).poll_shutdown(cx)).is_err() {
            return Poll::Ready(SocketEvent::Ended);
        }
        let mut space = [0; READ_BUFFER_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(SocketEvent::Ended),
            }
        }
    }
}
