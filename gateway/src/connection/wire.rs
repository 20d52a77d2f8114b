//! The bytes of a WebSocket: what has been read and not decoded, and what is to be written.
//!
//! Knows no frame. Counts the bytes of each direction, because that shows whether a slow client
//! makes progress.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use bytes_utils::SegmentedBuf;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::{poll_read_buf, poll_write_buf};

/// How many bytes are read at once, unless the frame that is being read lacks more.
const SHORT_READ_BYTES: usize = 4 << 10;
/// By how much the buffer of a long frame grows at least.
const GROWTH_BYTES_MIN: usize = 64 << 10;

/// A stream with a queue for each direction.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    /// Holds no memory while it is empty, so an idle connection has no read buffer.
    unread: BytesMut,
    unwritten: SegmentedBuf<Bytes>,
    bytes_read: u64,
    bytes_written: u64,
}

/// A wire that was taken apart. Everything except the stream is plain data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WireParts<S> {
    pub(super) stream: S,
    /// Bytes that were read and not decoded.
    pub(super) unread: Bytes,
    /// Bytes that were put and not written.
    pub(super) unwritten: Bytes,
    /// All bytes that were read, including `unread`.
    pub(super) bytes_read: u64,
    /// All bytes that were written.
    pub(super) bytes_written: u64,
}

impl<S> Wire<S> {
    pub(super) fn from_parts(parts: WireParts<S>) -> Self {
        let WireParts { stream, unread, unwritten, bytes_read, bytes_written } = parts;
        let (unread, queue) = (unread.into(), SegmentedBuf::new());
        let mut wire = Self { stream, unread, unwritten: queue, bytes_read, bytes_written };
        wire.put(unwritten);
        wire
    }

    pub(super) fn into_parts(self) -> WireParts<S> {
        let Self { stream, unread, mut unwritten, bytes_read, bytes_written } = self;
        let unwritten = unwritten.copy_to_bytes(unwritten.remaining());
        WireParts { stream, unread: unread.freeze(), unwritten, bytes_read, bytes_written }
    }

    #[cfg(test)]
    pub(super) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.bytes_written
    }

    /// How many bytes were read and not decoded.
    pub(super) fn unread_bytes(&self) -> usize {
        self.unread.len()
    }

    /// The bytes that were read. The caller removes those that it decodes.
    pub(super) fn unread(&mut self) -> &mut BytesMut {
        &mut self.unread
    }

    /// Puts a frame behind everything that is to be written. The queue has no limit of its own.
    pub(super) fn put(&mut self, frame: Bytes) {
        if !frame.is_empty() {
            self.unwritten.push(frame);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Reads more bytes behind `unread`, and returns their number, 0 at the end of the stream. The
    /// frame that is being read lacks `missing` bytes.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        missing: usize,
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        let bytes = if missing > SHORT_READ_BYTES {
            // The frame is read into its place, and nothing after the frame: a large buffer belongs
            // to one message, and goes with that message. The buffer grows with what has come, so
            // that the head of a frame alone takes no memory.
            let bytes_max = missing.min(self.unread.len().max(GROWTH_BYTES_MIN));
            self.unread.reserve(bytes_max);
            ready!(poll_read_buf(stream, cx, &mut (&mut self.unread).limit(bytes_max)))?
        } else {
            let mut space = [const { MaybeUninit::uninit() }; SHORT_READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut space);
            ready!(stream.poll_read(cx, &mut buffer))?;
            self.unread.extend_from_slice(buffer.filled());
            buffer.filled().len()
        };
        self.bytes_read += bytes as u64;
        Poll::Ready(Ok(bytes))
    }

    /// Reads and drops everything that comes. Ready at the end of the stream.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.unread = BytesMut::new();
            if ready!(self.poll_read(cx, 0))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Writes until the queue is empty. Layers of the stream may still hold some of the bytes.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unwritten.has_remaining() {
            let written = ready!(self.poll_write_some(cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.bytes_written += written as u64;
        }
        // The memory of a burst is freed.
        self.unwritten = SegmentedBuf::new();
        Poll::Ready(Ok(()))
    }

    /// Writes until the queue is empty and no layer of the stream holds any of the bytes.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Writes everything, then tells the client that nothing more will come.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let (stream, chunk) = (Pin::new(&mut self.stream), self.unwritten.chunk());
        if chunk.len() < self.unwritten.remaining() {
            return poll_write_buf(stream, cx, &mut self.unwritten);
        }
        // Most often the queue is one piece. The system writes one piece in less time than a list.
        let written = ready!(stream.poll_write(cx, chunk))?;
        self.unwritten.advance(written);
        Poll::Ready(Ok(written))
    }
}

#[cfg(test)]
mod tests;
