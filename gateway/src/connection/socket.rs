//! The WebSocket: messages in, frames out, and the closing handshake.
//!
//! Waits for no function and knows no push. Writing puts frames into a queue; [`Socket::next`]
//! writes the queue to the stream while it reads. Frames of messages come encoded; the control
//! frames are encoded here.

use std::{
    future::poll_fn,
    io, mem,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::Frame as ControlFrame};

use super::{
    decoder::{Decoded, Decoder, Next, Violation},
    wire::{Wire, WireParts},
};
use crate::registry::{End, EndReason, Frame, Message};

/// A WebSocket after its handshake.
#[derive(Debug)]
pub(super) struct Socket<S> {
    /// None once the socket is given up.
    wire: Option<Wire<S>>,
    protocol: Protocol,
}

/// A socket that was taken apart: its stream, and plain data.
#[derive(Debug)]
pub(super) struct SocketParts<S> {
    pub(super) wire: WireParts<S>,
    pub(super) protocol: Protocol,
}

/// What both sides have said so far. Plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Protocol {
    decoder: Decoder,
    state: State,
    /// The payload of the last ping that has no pong yet. An earlier one needs none (RFC 6455,
    /// section 5.5.3), so a client that pings and does not read fills no queue.
    pinged: Option<Bytes>,
    /// Whether anything that was written has not been flushed.
    flushing: bool,
    /// Whether the flush had to wait for the client.
    waited: bool,
}

/// How far the closing handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// A Close was sent. What the client sends before its own Close is read.
    CloseSent,
    /// A Close was sent, and the client has sent its own, broken the protocol or ended the stream.
    /// What it still sends is dropped. The socket ends when our Close has been flushed.
    Closed,
}

/// What happened on the socket.
#[derive(Debug)]
pub(super) enum SocketEvent {
    /// The client sent a message.
    Message(Message),
    /// The client sent a ping, a pong, or bytes of what is not whole yet.
    Heard,
    /// The message that is being received takes all the bytes that it may.
    NeedsMemory {
        /// How many bytes the message has in all, or the most that it may have.
        bytes_max: usize,
    },
    /// The client has read some of what is being written, and not all.
    Taken,
    /// The operating system has all that was written.
    Flushed {
        /// Whether the flush had to wait for the client.
        waited: bool,
    },
    /// A Close came. The socket should end soon.
    Closing(End),
    /// The client broke the protocol, and a Close was sent. The socket should end soon.
    Violated(Violation),
    /// The socket has ended.
    Ended,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// A socket over `stream`, on which `early` bytes have already been read.
    pub(super) fn new(stream: S, early: Vec<u8>, message_bytes_max: usize) -> Self {
        let bytes_read = early.len() as u64;
        let (unread, unwritten) = (early.into(), Bytes::new());
        Self::from_parts(SocketParts {
            wire: WireParts { stream, unread, unwritten, bytes_read, bytes_written: 0 },
            protocol: Protocol {
                decoder: Decoder::new(message_bytes_max),
                state: State::Open,
                pinged: None,
                flushing: false,
                waited: false,
            },
        })
    }

    /// The socket that was taken apart, perhaps in another process.
    pub(super) fn from_parts(parts: SocketParts<S>) -> Self {
        Self { wire: Some(Wire::from_parts(parts.wire)), protocol: parts.protocol }
    }

    /// Takes the socket apart. None if it was given up.
    #[cfg_attr(not(test), expect(dead_code, reason = "for handing a socket to another process"))]
    pub(super) fn into_parts(self) -> Option<SocketParts<S>> {
        Some(SocketParts { wire: self.wire?.into_parts(), protocol: self.protocol })
    }

    /// Waits for what happens next. Reads until the message that is being received has `allowance`
    /// bytes, or about; does not read if there is none. Can be dropped without loss.
    pub(super) async fn next(&mut self, allowance: Option<usize>) -> SocketEvent {
        poll_fn(|cx| self.poll_next(cx, allowance)).await
    }

    /// Puts a message behind what is to be written. False when the socket takes no more. There is
    /// no limit: callers write one batch, then wait for [`SocketEvent::Flushed`].
    pub(super) fn write(&mut self, frame: Frame) -> bool {
        let Some(wire) = self.wire.as_mut().filter(|_| self.protocol.state == State::Open) else {
            return false;
        };
        for part in frame.into_parts() {
            wire.put(part);
        }
        self.protocol.flushing = true;
        true
    }

    pub(super) fn ping(&mut self) {
        if self.protocol.state == State::Open {
            self.put_control(ControlFrame::ping(Bytes::new()));
        }
    }

    /// Puts a Close behind what is to be written, unless there has been one.
    pub(super) fn close(&mut self, end: End) {
        self.send_close(end.close_frame());
    }

    fn send_close(&mut self, frame: Option<CloseFrame>) {
        if self.protocol.state == State::Open {
            self.protocol.state = State::CloseSent;
            self.put_close(frame);
        }
    }

    /// Drops the messages of the client from here on, and takes no memory for them.
    pub(super) fn drop_messages(&mut self) {
        self.protocol.decoder.drop_messages();
    }

    /// Gives the socket up, whatever its state: the client sees the end at once, even if a
    /// function still has its last message. Returns the wire if it must linger, so that the client
    /// gets all that was written: a Close was, and the client may still send. One that
    /// `was_held_back` could not answer the Close.
    pub(super) fn abandon(&mut self, was_held_back: bool) -> Option<Wire<S>> {
        let wire = self.wire.take();
        let flushing = mem::take(&mut self.protocol.flushing);
        let must_linger = match self.protocol.state {
            State::Open => false,
            State::CloseSent => was_held_back,
            State::Closed => true,
        };
        wire.filter(|_| must_linger && !flushing)
    }

    /// Whether the operating system lacks something that was written.
    pub(super) fn is_flushing(&self) -> bool {
        self.protocol.flushing
    }

    /// How many bytes of the message that is being received have come. None between messages.
    pub(super) fn bytes_received(&self) -> Option<usize> {
        let unread = self.wire.as_ref().map_or(0, Wire::unread_bytes);
        let partial = self.protocol.decoder.partial_bytes();
        (unread > 0 || partial.is_some()).then(|| unread + partial.unwrap_or(0))
    }

    /// How many frames without a payload have come.
    pub(super) fn empty_frames(&self) -> u64 {
        self.protocol.decoder.empty_frames()
    }

    /// Bytes that came from the client, whole frames or not.
    pub(super) fn bytes_read(&self) -> u64 {
        self.wire.as_ref().map_or(0, Wire::bytes_read)
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.wire.as_ref().map_or(0, Wire::bytes_written)
    }

    /// The stream, for a test to work.
    #[cfg(test)]
    pub(super) fn stream(&mut self) -> &mut S {
        self.wire.as_mut().expect("the socket was not given up").stream()
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, allowance: Option<usize>) -> Poll<SocketEvent> {
        if self.wire.is_none() {
            return Poll::Ready(SocketEvent::Ended);
        }
        if self.protocol.flushing {
            let before = self.bytes_written();
            match self.poll_flush(cx) {
                Poll::Pending => {
                    // What the system takes before it is full says nothing about the client.
                    let waited = mem::replace(&mut self.protocol.waited, true);
                    if waited && self.bytes_written() != before {
                        return Poll::Ready(SocketEvent::Taken);
                    }
                }
                Poll::Ready(Err(_)) => return Poll::Ready(SocketEvent::Ended),
                Poll::Ready(Ok(())) => {
                    self.protocol.flushing = false;
                    let waited = mem::take(&mut self.protocol.waited);
                    return Poll::Ready(SocketEvent::Flushed { waited });
                }
            }
        }
        match (self.protocol.state, allowance) {
            (State::Open | State::CloseSent, Some(allowance)) => self.poll_read(cx, allowance),
            (State::Open | State::CloseSent, None) => Poll::Pending,
            (State::Closed, _) if self.protocol.flushing => self.poll_discard(cx),
            (State::Closed, _) => Poll::Ready(SocketEvent::Ended),
        }
    }

    /// Writes the queue, then the pong that is due.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(wire) = &mut self.wire else { return Poll::Ready(Ok(())) };
        loop {
            ready!(wire.poll_drain(cx))?;
            match self.protocol.pinged.take() {
                Some(payload) => wire.put(encoded(ControlFrame::pong(payload))),
                None => return wire.poll_flush(cx),
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, allowance: usize) -> Poll<SocketEvent> {
        let Some(wire) = &mut self.wire else { return Poll::Ready(SocketEvent::Ended) };
        let before = wire.bytes_read();
        loop {
            let missing = match self.protocol.decoder.decode(wire.unread()) {
                Ok(Next::Whole(decoded)) => return Poll::Ready(self.on_decoded(decoded)),
                Ok(Next::Incomplete { missing }) => missing,
                Err(violation) => return Poll::Ready(self.fail(violation)),
            };
            let held = wire.unread_bytes() + self.protocol.decoder.partial_bytes().unwrap_or(0);
            if held >= allowance {
                let bytes_max = self.protocol.decoder.message_bytes_max(wire.unread());
                return Poll::Ready(SocketEvent::NeedsMemory { bytes_max });
            }
            match wire.poll_read(cx, missing.min(allowance - held)) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0))
                    if self.protocol.flushing && self.protocol.state == State::CloseSent =>
                {
                    // The client may still read.
                    self.protocol.state = State::Closed;
                    return Poll::Ready(SocketEvent::Heard);
                }
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(SocketEvent::Ended),
                Poll::Pending if wire.bytes_read() != before => {
                    return Poll::Ready(SocketEvent::Heard);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn on_decoded(&mut self, decoded: Decoded) -> SocketEvent {
        match decoded {
            Decoded::Message(message) => SocketEvent::Message(message),
            Decoded::Ping(payload) => {
                if self.protocol.state == State::Open {
                    self.protocol.pinged = Some(payload);
                    self.protocol.flushing = true;
                }
                SocketEvent::Heard
            }
            Decoded::Pong => SocketEvent::Heard,
            Decoded::Close(frame) => self.on_close(frame),
        }
    }

    /// Answers a Close with the same code, unless it is the answer to ours.
    fn on_close(&mut self, frame: Option<CloseFrame>) -> SocketEvent {
        let code = frame.as_ref().map(|frame| frame.code);
        if self.protocol.state == State::Open {
            self.put_close(frame);
        }
        self.protocol.state = State::Closed;
        SocketEvent::Closing(End::of(code, EndReason::Client))
    }

    /// Answers a violation of the protocol: RFC 6455, section 7.1.7.
    fn fail(&mut self, violation: Violation) -> SocketEvent {
        let frame = violation.end().close_frame();
        // The text says more than that of the end.
        let reason = || violation.to_string().into();
        self.send_close(frame.map(|frame| CloseFrame { reason: reason(), ..frame }));
        self.protocol.state = State::Closed;
        SocketEvent::Violated(violation)
    }

    /// Drops what the client sends while the Close is being written.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        let Some(wire) = &mut self.wire else { return Poll::Ready(SocketEvent::Ended) };
        let before = wire.bytes_read();
        // What was begun is written to a client that sends nothing more, too.
        let _ends = wire.poll_discard(cx);
        // A client that never stops sending must not keep the connection from looking at its time.
        if wire.bytes_read() == before { Poll::Pending } else { Poll::Ready(SocketEvent::Heard) }
    }

    /// Puts a Close behind what is to be written, and behind the pong that is due.
    fn put_close(&mut self, frame: Option<CloseFrame>) {
        if let Some(payload) = self.protocol.pinged.take() {
            self.put_control(ControlFrame::pong(payload));
        }
        self.put_control(ControlFrame::close(frame));
    }

    fn put_control(&mut self, frame: ControlFrame) {
        if let Some(wire) = &mut self.wire {
            wire.put(encoded(frame));
            self.protocol.flushing = true;
        }
    }
}

fn encoded(frame: ControlFrame) -> Bytes {
    let mut bytes = Vec::with_capacity(frame.len());
    frame.format(&mut bytes).expect("a Vec takes all that is written");
    bytes.into()
}

#[cfg(test)]
mod tests;
