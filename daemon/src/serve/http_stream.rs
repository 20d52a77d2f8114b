//! The stream of a connection for as long as it carries HTTP.
//!
//! Hyper has no deadline for writing, one deadline for idle connections and for half a head, closes
//! a connection without regard to what the peer still sends, does not say what is wrong with a
//! request, and writes all names in lower case. Five modules beside this one know better, and the
//! stream asks them at each read and write. An upgrade takes this layer off.

use std::{
    io::{self, IoSlice},
    mem,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::StatusCode;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::debug;

use super::{
    discard::Discard,
    refusal::{Refusal, Refusals},
    request_deadline::RequestDeadline,
    spelling::{NextHead, Spelling},
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
    peer: SocketAddr,
    activity: Activity,
    refusals: Refusals,
    request_deadline: RequestDeadline,
    write_deadline: WriteDeadline,
    is_flush_blocked: bool,
    /// Whether the peer has ended its sending side.
    has_ended: bool,
    discard: Option<Discard>,
    spelling: Spelling,
}

impl<S> HttpStream<S> {
    pub(super) fn new(stream: S, peer: SocketAddr, activity: Activity) -> Self {
        Self {
            stream,
            peer,
            activity,
            refusals: Refusals::new(),
            request_deadline: RequestDeadline::default(),
            write_deadline: WriteDeadline::default(),
            is_flush_blocked: false,
            has_ended: false,
            discard: None,
            spelling: Spelling::default(),
        }
    }

    /// For saying which head comes next.
    pub(super) fn next_head(&self) -> NextHead {
        self.spelling.next.clone()
    }

    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.refusals.wrote(self.activity.last_request());
                self.spelling.wrote(bytes);
                self.activity.wrote();
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.blocked(),
        }
        self.write_deadline.watch(cx, written)
    }

    /// Passes the result of a flush or a shutdown on, or an error if the peer has had its time: a
    /// layer such as TLS holds bytes for which `poll_write` was ready.
    fn flushed(
        &mut self,
        cx: &mut Context<'_>,
        flushed: Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        if flushed.is_pending() {
            self.is_flush_blocked = true;
            self.activity.blocked();
            return self.write_deadline.watch(cx, Poll::Pending).map_ok(|_| ());
        }
        if mem::take(&mut self.is_flush_blocked) {
            self.activity.flushed();
            self.write_deadline.flushed();
        }
        flushed
    }
}

impl<S: AsyncWrite + Unpin> HttpStream<S> {
    /// Writes the last answer, as far as the system takes it at once. An answer is short, and a
    /// client that has read the earlier ones has room for it.
    fn refuse(&mut self, cx: &mut Context<'_>, Refusal { problem, answer }: Refusal) {
        debug!(client.address = %self.peer, problem, "what came is not a request");
        self.activity.discard();
        let written = Pin::new(&mut self.stream).poll_write(cx, &answer);
        let _ = self.wrote(cx, written);
    }

    fn refuse_half_head(&mut self, cx: &mut Context<'_>, status: StatusCode, problem: &str) {
        let last = self.activity.last_request();
        if let Some(refusal) = self.refusals.of_half_head(last, status, problem) {
            self.refuse(cx, refusal);
        }
    }

    /// Writes an answer that says what is wrong in place of one of hyper that does not. None if
    /// `bytes` are of another answer.
    fn write_refusal(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Option<Poll<io::Result<usize>>> {
        let status = self.refusals.bare_status(bytes)?;
        let refusal = self.refusals.in_place_of(status, self.activity.last_request())?;
        self.refuse(cx, refusal);
        Some(Poll::Ready(Ok(bytes.len())))
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

impl<S: AsyncRead + AsyncWrite + Peek + Unpin> AsyncRead for HttpStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let has_head_part = this.refusals.read_begins(this.activity.last_request());
        if !this.activity.read_begins(has_head_part)
            && !this.activity.is_spared_if(this.stream.has_unread())
        {
            // As if the peer had left.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => read?,
            Poll::Pending => {
                ready!(this.request_deadline.poll(cx, this.activity.request_due()));
                let problem = "the head of the request did not come in time";
                this.refuse_half_head(cx, StatusCode::REQUEST_TIMEOUT, problem);
                return Poll::Ready(Ok(()));
            }
        }
        let bytes = &buffer.filled()[before..];
        if bytes.is_empty() {
            this.has_ended = true;
            let problem = "the connection ended before the head of the request did";
            this.refuse_half_head(cx, StatusCode::BAD_REQUEST, problem);
        } else if let Some(refusal) = this.refusals.received(bytes, this.activity.received()) {
            this.refuse(cx, refusal);
            // As if the peer had left.
            buffer.set_filled(before);
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
        if let Some(written) = this.write_refusal(cx, bytes) {
            return written;
        }
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
        if let [bytes] = slices
            && let Some(written) = this.write_refusal(cx, bytes)
        {
            return written;
        }
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
        // Hyper flushes the stream when it has written all that it has.
        this.refusals.flushed(this.activity.last_request());
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.flushed(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.discard.is_none() {
            let shut_down = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.flushed(cx, shut_down))?;
            if this.has_ended || !this.activity.closing_begins() {
                return Poll::Ready(Ok(()));
            }
        }
        let discard = this.discard.get_or_insert_with(Discard::begin);
        discard.poll(cx, &mut this.stream).map(Ok)
    }
}
