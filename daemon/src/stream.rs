//! The byte stream of an accepted connection.
//!
//! One type for all code that serves a connection, whatever lies between the connection and TCP.
//! Knows no protocol above TLS.

mod tls;

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    net::SocketAddr,
    os::fd::AsRawFd,
    pin::Pin,
    sync::atomic::Ordering,
    task::{Context, Poll},
};

use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt::SndBuf};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server;

pub use self::tls::TlsStream;

/// An accepted connection.
#[derive(Debug)]
pub enum Stream {
    /// TCP without anything around it.
    Plain(TcpStream),
    /// TLS. Boxed, so that a connection without it takes no memory for it.
    Tls(Box<TlsStream>),
}

impl Stream {
    /// The address at the other end of TCP: of the client, or of a proxy.
    pub fn peer_address(&self) -> io::Result<SocketAddr> {
        self.tcp().peer_addr()
    }

    /// Whether the client has shown a certificate that is taken.
    pub(crate) fn has_certificate(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => tls.has_certificate(),
        }
    }

    /// How many of the written bytes the system still keeps: the client's system has not
    /// acknowledged them. With TLS these are encrypted bytes, and those that are not flushed are
    /// not among them.
    pub fn unacknowledged_bytes(&self) -> io::Result<usize> {
        let mut bytes = 0;
        // SAFETY: the descriptor is open as long as `self` lives, and the request writes one int.
        #[expect(unsafe_code, reason = "no crate has a safe call for this request")]
        unsafe { request::unacknowledged(self.tcp().as_raw_fd(), &raw mut bytes) }?;
        Ok(usize::try_from(bytes).unwrap_or(0))
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.tcp(),
        }
    }
}

/// Limits how many bytes the system keeps for a client that reads slowly. Linux doubles it.
pub(crate) fn set_send_buffer(tcp: &TcpStream, bytes: usize) -> io::Result<()> {
    Ok(setsockopt(tcp, SndBuf, &bytes)?)
}

/// Looks at what has come, and leaves it unread.
pub(crate) trait Peek {
    /// Whether the peer has to decrypt what is sent to it.
    fn has_tls(&self) -> bool {
        false
    }

    /// Ready when the peer has ended its sending side, or is gone. Not told while bytes are unread.
    fn poll_peer_end(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// A function that says at once whether bytes are unread: of this stream, or of the system. To
    /// be called only while the stream is open.
    fn has_unread(&self) -> impl Fn() -> bool + Send + 'static;
}

impl Peek for Stream {
    fn has_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    fn poll_peer_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            // The end comes encrypted, so what has come is decrypted.
            Self::Tls(tls) => return tls.poll_end(cx),
        };
        let mut byte = [MaybeUninit::uninit()];
        match tcp.poll_peek(cx, &mut ReadBuf::uninit(&mut byte)) {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(()),
            Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
        }
    }

    fn has_unread(&self) -> impl Fn() -> bool + Send + 'static {
        let descriptor = self.tcp().as_raw_fd();
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        let holds = match self {
            Self::Plain(_) => None,
            Self::Tls(tls) => Some(tls.holds()),
        };
        move || {
            holds.as_ref().is_some_and(|holds| holds.load(Ordering::Relaxed))
                || recv(descriptor, &mut [0], flags).is_ok_and(|bytes| bytes > 0)
        }
    }
}

/// The system call that nix does not have ready-made.
mod request {
    // SIOCOUTQ, which has the same number as TIOCOUTQ.
    nix::ioctl_read_bad!(unacknowledged, nix::libc::TIOCOUTQ, nix::libc::c_int);
}

impl From<TcpStream> for Stream {
    fn from(tcp: TcpStream) -> Self {
        Self::Plain(tcp)
    }
}

impl From<server::TlsStream<TcpStream>> for Stream {
    fn from(tls: server::TlsStream<TcpStream>) -> Self {
        Self::Tls(Box::new(TlsStream::new(tls)))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, slices),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(&mut **tls).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
