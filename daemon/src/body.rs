//! The bodies of requests, and reading them within bounds.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::timeout;

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
    /// The body did not arrive within [`BODY_TIMEOUT`].
    #[error("body did not arrive within {BODY_TIMEOUT:?}")]
    TooSlow,
    /// The connection ended before the body did.
    #[error("body broke off")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

/// How long a request body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads a request body of at most `limit` bytes. A body that says that it is larger is refused at
/// once, so that a client that asks first (`Expect: 100-continue`) is not told to send it.
pub async fn read_body(body: RequestBody, limit: usize) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge(limit));
    }
    let collected = timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await;
    match collected.map_err(|_| BodyError::TooSlow)? {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge(limit)),
        Err(error) => Err(BodyError::Broken(error)),
    }
}

impl RequestBody {
    pub(crate) fn new(body: Incoming, activity: Activity) -> Self {
        Self { body: Some(body), activity }
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
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
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
