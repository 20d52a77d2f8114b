//! The body of an answer that is passed on: it breaks off when its server sends nothing for too
//! long.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// How long a server may send nothing in the middle of its answer.
const SILENCE: Duration = Duration::from_secs(300);

/// A body with a deadline for each frame.
pub(super) struct Watched {
    body: Incoming,
    silence: Pin<Box<Sleep>>,
}

impl Watched {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, silence: Box::pin(sleep(SILENCE)) }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.silence.as_mut().reset(Instant::now() + SILENCE);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(this.silence.as_mut().poll(cx));
        Poll::Ready(Some(Err("the server has sent nothing for too long".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
