//! The stream of a connection for as long as it carries HTTP.
//!
//! Hyper has no deadline for writing, so the stream has one. An upgrade takes this layer off.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::write_deadline::WriteDeadline;
use crate::stream::Stream;

/// A stream that carries HTTP.
#[derive(Debug)]
pub(super) struct HttpStream<S> {
    stream: S,
    write_deadline: WriteDeadline,
}

impl<S> HttpStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, write_deadline: WriteDeadline::default() }
    }
}

/// The stream of an upgraded connection without the layers that served HTTP on it, and the bytes
/// that they have read after the request. The error is the connection itself, if [`serve`] did not
/// accept it.
///
/// [`serve`]: super::serve
pub fn take_stream(upgraded: Upgraded) -> Result<(Vec<u8>, Stream), Upgraded> {
    let parts = upgraded.downcast::<TokioIo<HttpStream<Stream>>>()?;
    Ok((parts.read_buf.to_vec(), parts.io.into_inner().stream))
}

impl<S: AsyncRead + Unpin> AsyncRead for HttpStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HttpStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.write_deadline.watch(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.write_deadline.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
