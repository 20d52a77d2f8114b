//! A connection with TLS around it.
//!
//! An end of TCP without the end of TLS (`close_notify`) counts as the end of the stream, as
//! without TLS: HTTP/1.1 and WebSocket know themselves whether what they read is complete.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server;

/// A stream after its handshake.
#[derive(Debug)]
pub struct TlsStream {
    inner: server::TlsStream<TcpStream>,
    /// Whether bytes, or the end, have been decrypted and not read. The system no longer has them.
    holds: Arc<AtomicBool>,
}

impl TlsStream {
    pub(super) fn new(inner: server::TlsStream<TcpStream>) -> Self {
        let stream = Self { inner, holds: Arc::default() };
        stream.note();
        stream
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        self.inner.get_ref().0
    }

    /// Whether the client has shown a certificate.
    pub(super) fn has_certificate(&self) -> bool {
        self.inner.get_ref().1.peer_certificates().is_some()
    }

    pub(super) fn holds(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.holds)
    }

    /// Decrypts what has come, if nothing is decrypted yet, and leaves it unread. Ready at the end.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let is_end = match Pin::new(&mut self.inner).poll_fill_buf(cx) {
            Poll::Ready(Ok(bytes)) => bytes.is_empty(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        self.note();
        if is_end { Poll::Ready(()) } else { Poll::Pending }
    }

    fn note(&self) {
        self.holds.store(!self.inner.get_ref().1.wants_read(), Ordering::Relaxed);
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.inner).poll_read(cx, buffer);
        this.note();
        match read {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            read => read,
        }
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
