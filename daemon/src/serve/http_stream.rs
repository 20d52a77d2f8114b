//! The stream of a connection for as long as it carries HTTP.
//!
//! Hyper has no deadline for writing, one deadline for idle connections and for half a head, and
//! closes a connection without regard to what the peer still sends. So the stream does all three,
//! and spells the names of a 101.
//! An upgrade takes this layer off.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    discard::Discard,
    request_deadline::RequestDeadline,
    spelling::{Spelling, Switching},
    write_deadline::WriteDeadline,
};
use crate::{
    activity::Activity,
    stream::{Peek, Stream},
};

/// A stream that carries HTTP.
#[derive(Debug)]
pub(super) struct HttpStream<S> {
    stream: S,
    activity: Activity,
    request_deadline: RequestDeadline,
    write_deadline: WriteDeadline,
    /// Whether the peer has ended its sending side.
    has_ended: bool,
    discard: Option<Discard>,
    spelling: Spelling,
}

impl<S> HttpStream<S> {
    pub(super) fn new(stream: S, activity: Activity) -> Self {
        Self {
            stream,
            activity,
            request_deadline: RequestDeadline::default(),
            write_deadline: WriteDeadline::default(),
            has_ended: false,
            discard: None,
            spelling: Spelling::default(),
        }
    }

    /// For saying that a 101 comes next.
    pub(super) fn switching(&self) -> Switching {
        self.spelling.switching.clone()
    }

    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.spelling.wrote(bytes);
                self.activity.wrote();
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.blocked(),
        }
        self.write_deadline.watch(cx, written)
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

impl<S: AsyncRead + Peek + Unpin> AsyncRead for HttpStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.activity.read_begins() && !this.activity.is_spared_if(this.stream.has_unread()) {
            // As if the peer had left.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => read?,
            Poll::Pending => {
                ready!(this.request_deadline.poll(cx, this.activity.request_due()));
                return Poll::Ready(Ok(()));
            }
        }
        if buffer.filled().len() > before {
            this.activity.received();
        } else {
            this.has_ended = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Peek + Unpin> AsyncWrite for HttpStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let bytes = this.spelling.of(bytes).unwrap_or(bytes);
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.wrote(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first = slices.iter().take_while(|slice| slice.is_empty()).count();
        let slices = &slices[first..];
        let written = match this.spelling.before_head(slices) {
            0 => match slices.first().and_then(|slice| this.spelling.of(slice)) {
                Some(head) => Pin::new(&mut this.stream).poll_write(cx, head),
                None => Pin::new(&mut this.stream).poll_write_vectored(cx, slices),
            },
            count => Pin::new(&mut this.stream).poll_write_vectored(cx, &slices[..count]),
        };
        this.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Hyper flushes whenever something happens, and does not read while a request is in hand.
        if this.activity.ends_with_peer() && this.stream.poll_peer_end(cx).is_ready() {
            let left = "the peer left before its request was answered";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, left)));
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.discard.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if this.has_ended || !this.activity.closing_begins() {
                return Poll::Ready(Ok(()));
            }
        }
        let discard = this.discard.get_or_insert_with(Discard::begin);
        discard.poll(cx, &mut this.stream).map(Ok)
    }
}
