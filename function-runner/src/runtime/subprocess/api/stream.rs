//! The byte stream of a child's connection. Notes how far the child has read.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use daemon::stream::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::runtime::subprocess::delivery::Deliveries;

#[derive(Debug)]
pub(super) struct ChildStream {
    stream: Stream,
    deliveries: Deliveries,
}

impl ChildStream {
    pub(super) fn new(stream: Stream, deliveries: Deliveries) -> Self {
        Self { stream, deliveries }
    }

    /// Notes how `outcome`, of a read or of a write, ended the connection, if it did.
    fn note<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &outcome
            && matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
        {
            self.deliveries.ended_unread();
        }
        outcome
    }

    /// The child sends nothing more. The end of its stream acknowledges all that had arrived
    /// before.
    fn at_end(&self) {
        if self.stream.unacknowledged_bytes().is_ok_and(|bytes| bytes > 0) {
            self.deliveries.ended_unread();
        }
    }

    fn wrote(&self, outcome: io::Result<usize>) -> io::Result<usize> {
        if outcome.as_ref().is_ok_and(|bytes| *bytes > 0) {
            self.deliveries.written();
        }
        self.note(outcome)
    }
}

impl AsyncRead for ChildStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        if outcome.is_ok() && buffer.filled().len() > before {
            self.deliveries.heard();
        } else if outcome.is_ok() && buffer.remaining() > 0 {
            self.at_end();
        }
        Poll::Ready(self.note(outcome))
    }
}

impl AsyncWrite for ChildStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        Poll::Ready(self.wrote(outcome))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, slices));
        Poll::Ready(self.wrote(outcome))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for ChildStream {
    fn drop(&mut self) {
        self.deliveries.ended();
    }
}
