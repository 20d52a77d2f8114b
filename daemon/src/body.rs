//! The bodies of requests, and reading them within bounds.

mod encoding;
mod gzip;
mod holders;
mod memory;
mod pieces;
mod pool;
mod rules;
mod share;

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

pub use self::{
    encoding::{ACCEPTED_ENCODINGS, Encoding, UnknownEncoding},
    holders::{AnswerHold, HttpConnection},
    memory::{BodyMemory, HeldBody},
    rules::BodyRules,
    share::MemoryShare,
};
use crate::activity::Activity;

/// The body of a request. A service need not read it: what it leaves is dealt with when it has
/// answered.
#[derive(Debug)]
pub struct RequestBody {
    /// Taken when the body is dropped.
    body: Option<Incoming>,
    activity: Activity,
}

/// The request body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The body is larger than allowed.
    #[error("body is larger than {0} bytes")]
    TooLarge(usize),
    /// The body did not arrive in time, or it arrived too slowly.
    #[error("body did not arrive in time")]
    TooSlow,
    /// There was no memory for the body. It may be sent again.
    #[error("bodies of other requests use all memory for bodies")]
    NoMemory,
    /// The share of its sender had no memory for the body. It may be sent again.
    #[error("bodies of other requests of this sender use its share of the memory for bodies")]
    NoShare,
    /// The body is not in the encoding that its head says.
    #[error("body is not gzip as its Content-Encoding says: {0}")]
    NotGzip(String),
    /// The connection ended before the body did.
    #[error("body broke off")]
    Broken(#[source] hyper::Error),
}

impl RequestBody {
    pub(crate) fn new(body: Incoming, activity: Activity) -> Self {
        Self { body: Some(body), activity }
    }

    /// The connection of the request.
    pub fn connection(&self) -> HttpConnection {
        HttpConnection(self.activity.clone())
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let frame = Pin::new(&mut *body).poll_frame(cx);
        this.activity.awaits_body(frame.is_pending());
        let frame = ready!(frame);
        if matches!(frame, None | Some(Err(_))) || body.is_end_stream() {
            this.body = None;
            this.activity.body_ended();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            self.activity.body_left(body);
        }
    }
}

#[cfg(test)]
mod tests;
