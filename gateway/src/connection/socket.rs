//! The WebSocket itself: frames in, frames out, and a proper end.
//!
//! Nothing here waits for a function or knows of pushes. Writing only puts frames into a queue;
//! [`Socket::next`] hands them to the operating system beside reading. Frames of messages come
//! encoded; tungstenite reads, and writes the control frames.

use std::{
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{FutureExt, Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Error, Utf8Bytes,
        error::ProtocolError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tracing::debug;

use super::wire::Wire;
use crate::registry::{End, EndReason, Frame, Message};

/// tungstenite allocates its read buffer up front; at 2 KiB an idle connection stays small.
const READ_BUFFER_BYTES: usize = 2 << 10;
/// What tungstenite may have to write: pongs, a Close.
const CONTROL_BYTES_MAX: usize = 4 << 10;
/// A message that leaves a buffer behind which is worth giving back.
const LARGE_MESSAGE_BYTES: usize = 16 << 10;

#[derive(Debug)]
pub(super) struct Socket<S> {
    /// None once it is given up.
    stream: Option<WebSocketStream<Wire<S>>>,
    reading: Reading,
    flushing: bool,
    /// Whether the system has not taken all at once.
    waited: bool,
    /// Whether a Close has been sent or received.
    closing: bool,
    /// Bytes of the frames that have been read whole.
    bytes_parsed: u64,
    /// The largest message since the read buffer was made.
    message_bytes: usize,
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
    Flushed {
        /// Whether it had to wait for the client to take something.
        waited: bool,
    },
    /// A Close came, or one had to be sent. The socket should end soon.
    Closing(End),
    /// The socket has ended.
    Ended,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// A socket over `stream`, on which `early` bytes have already been read.
    pub(super) fn new(stream: S, early: Vec<u8>, message_bytes_max: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            // Control frames only, which it hands on at once. A flood of pings by a client that
            // reads nothing gets to the bound, and costs it some of its pongs.
            .write_buffer_size(0)
            .max_write_buffer_size(CONTROL_BYTES_MAX)
            .max_message_size(Some(message_bytes_max))
            .max_frame_size(Some(message_bytes_max));
        let stream = Wire::new(stream, early.len() as u64);
        Self {
            stream: Some(frames(stream, early, config)),
            reading: Reading::Frames,
            flushing: false,
            waited: false,
            closing: false,
            bytes_parsed: 0,
            message_bytes: 0,
        }
    }

    /// Waits for what happens next; reads only if `reads`. Can be dropped without loss.
    pub(super) async fn next(&mut self, reads: bool) -> SocketEvent {
        self.shrink();
        poll_fn(|cx| self.poll_next(cx, reads)).await
    }

    /// Puts a message behind what is to be written. False when the socket takes no more. It has no
    /// bound: callers write one batch, then wait for [`SocketEvent::Flushed`].
    pub(super) fn write(&mut self, frame: Frame) -> bool {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.closing) else { return false };
        for part in frame.into_parts() {
            stream.get_mut().put(part);
        }
        self.flushing = true;
        true
    }

    pub(super) fn ping(&mut self) {
        self.put_control(tungstenite::Message::Ping(Bytes::new()));
    }

    /// Puts a Close behind what is to be written.
    pub(super) fn close(&mut self, code: CloseCode) {
        self.closing = true;
        let frame = CloseFrame { code, reason: Utf8Bytes::default() };
        self.put_control(tungstenite::Message::Close(Some(frame)));
    }

    /// Gives the socket up, whatever its state: the client sees the end at once, even if a
    /// function still has its last message.
    pub(super) fn abandon(&mut self) {
        self.stream = None;
        self.flushing = false;
    }

    /// Whether something that was written has not been taken by the operating system.
    pub(super) fn is_flushing(&self) -> bool {
        self.flushing
    }

    /// Bytes that came from the client, whole frames or not.
    pub(super) fn bytes_read(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| stream.get_ref().bytes_read())
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| stream.get_ref().bytes_written())
    }

    fn put_control(&mut self, message: tungstenite::Message) {
        let Some(stream) = &mut self.stream else { return };
        if let Err(error) = Pin::new(stream).start_send(message) {
            // The reading side learns of the end and tells it.
            debug!(%error, "frame not written");
        }
        self.flushing = true;
    }

    /// Gives back what large messages have made of tungstenite's read buffer, which it keeps for as
    /// long as the connection lives. It can be made anew when nothing is in it: no Pong waits, and all
    /// that was read has been parsed. (Of a message in fragments too little is counted as parsed,
    /// so a connection that has sent one keeps its buffer.)
    fn shrink(&mut self) {
        let is_empty = !self.flushing && !self.closing && self.bytes_parsed == self.bytes_read();
        if self.message_bytes < LARGE_MESSAGE_BYTES || !is_empty {
            return;
        }
        self.message_bytes = 0;
        self.stream = self.stream.take().map(|stream| {
            let config = *stream.get_config();
            frames(stream.into_inner(), Vec::new(), config)
        });
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, reads: bool) -> Poll<SocketEvent> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(SocketEvent::Ended) };
        if self.flushing {
            match Pin::new(stream).poll_flush(cx) {
                Poll::Pending => self.waited = true,
                Poll::Ready(Err(_)) => return Poll::Ready(SocketEvent::Ended),
                Poll::Ready(Ok(())) => {
                    self.flushing = false;
                    let waited = mem::take(&mut self.waited);
                    return Poll::Ready(SocketEvent::Flushed { waited });
                }
            }
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
        if let Ok(frame) = &frame {
            self.bytes_parsed += frame_bytes(frame.len());
            self.message_bytes = self.message_bytes.max(frame.len());
        }
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
                self.closing = true;
                let code = frame.map(|frame| frame.code);
                SocketEvent::Closing(End { code, reason: EndReason::Client })
            }
            Err(error) => self.fail(&error),
        })
    }

    /// Answers what tungstenite does not read on after: RFC 6455 section 7.1.7.
    fn fail(&mut self, error: &Error) -> SocketEvent {
        let end = match error {
            Error::Capacity(_) => End::TOO_LARGE,
            Error::Utf8(_) => End::sent(CloseCode::Invalid, EndReason::Lost),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                return SocketEvent::Ended;
            }
            Error::Protocol(_) => End::sent(CloseCode::Protocol, EndReason::Lost),
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

/// The WebSocket over a stream, on which `early` bytes have been read.
fn frames<S: AsyncRead + AsyncWrite + Unpin>(
    wire: Wire<S>,
    early: Vec<u8>,
    config: WebSocketConfig,
) -> WebSocketStream<Wire<S>> {
    WebSocketStream::from_partially_read(wire, early, Role::Server, Some(config))
        .now_or_never()
        .expect("without a handshake there is nothing to wait for")
}

/// The length of a client's frame with this payload (RFC 6455 section 5.2): head, extended
/// length, mask, payload.
fn frame_bytes(payload: usize) -> u64 {
    let extended = match payload {
        0..126 => 0,
        126..65_536 => 2,
        65_536.. => 8,
    };
    (2 + extended + 4 + payload) as u64
}
