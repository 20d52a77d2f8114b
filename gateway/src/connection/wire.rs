//! The stream of a WebSocket: counts what goes through it, and has the only queue of what is
//! to be written.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use bytes_utils::SegmentedBuf;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_write_buf;

/// A stream that writes whole frames in order. Those of messages are put in as they are, shared
/// by all that they go to; the control frames of tungstenite come by way of [`AsyncWrite`].
///
/// Bytes are counted, which is how the progress of a slow client shows.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    /// What the system has not taken yet.
    unwritten: SegmentedBuf<Bytes>,
    bytes_read: u64,
    bytes_written: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// `bytes_read` have been read from it before.
    pub(super) fn new(stream: S, bytes_read: u64) -> Self {
        Self { stream, unwritten: SegmentedBuf::new(), bytes_read, bytes_written: 0 }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.bytes_written
    }

    /// Puts a frame behind what is to be written. The queue has no bound of its own.
    pub(super) fn put(&mut self, frame: Bytes) {
        self.unwritten.push(frame);
    }

    /// Writes until nothing is left.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unwritten.has_remaining() {
            let written = ready!(self.poll_write_some(cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.bytes_written += written as u64;
        }
        // A burst must not cost memory for as long as the connection lives.
        self.unwritten = SegmentedBuf::new();
        Poll::Ready(Ok(()))
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let (stream, chunk) = (Pin::new(&mut self.stream), self.unwritten.chunk());
        if chunk.len() < self.unwritten.remaining() {
            return poll_write_buf(stream, cx, &mut self.unwritten);
        }
        // Most often it is one frame in one piece, for which the system has a quicker call.
        let written = ready!(stream.poll_write(cx, chunk))?;
        self.unwritten.advance(written);
        Poll::Ready(Ok(written))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.bytes_read += (buffer.filled().len() - before) as u64;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    /// Takes all of it or nothing, so that tungstenite never has a part of a frame left. What it
    /// has while others are being written waits in its own buffer, which has a bound. It is not
    /// queued here, because tungstenite does not flush its last frame.
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(cx))?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.bytes_written += written as u64;
        if written < bytes.len() {
            self.put(Bytes::copy_from_slice(&bytes[written..]));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
