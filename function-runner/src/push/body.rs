//! The body of a push on its way to the gateway: as it comes, in small pieces, and never whole.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::begin::Begin;

/// The longest piece. The HTTP client keeps up to 16 pieces that the gateway has not taken.
const PIECE_BYTES: usize = 8 << 10;

/// The body of a push.
#[derive(Debug)]
pub(crate) struct PushBody {
    /// None when nothing more comes.
    body: Option<Incoming>,
    /// What has come and was not passed on.
    piece: Bytes,
    begin: Begin,
    /// The connection of the push may end in the middle of the body from then on.
    stop: CancellationToken,
    end: Option<oneshot::Sender<BodyEnd>>,
}

/// How the passing on of a body has ended.
#[derive(Debug)]
pub(crate) enum BodyEnd {
    Whole,
    /// The connection of the push has broken off.
    Broken,
    /// The gateway has not taken all of it. This is the rest.
    Left(Incoming),
}

/// The body of a push has not come whole.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the push broke off")]
pub(crate) struct BrokeOff;

impl PushBody {
    /// The body, and a receiver that learns how it has ended. `begin` gets its first bytes.
    pub(crate) fn new(
        body: Incoming,
        begin: Begin,
        stop: CancellationToken,
    ) -> (Self, oneshot::Receiver<BodyEnd>) {
        let (end, ended) = oneshot::channel();
        let mut this = Self { body: Some(body), piece: Bytes::new(), begin, stop, end: Some(end) };
        this.look_for_end();
        (this, ended)
    }

    fn look_for_end(&mut self) {
        if self.body.as_ref().is_some_and(Incoming::is_end_stream) {
            self.ended(BodyEnd::Whole);
        }
    }

    fn ended(&mut self, how: BodyEnd) {
        self.body = None;
        if let Some(end) = self.end.take() {
            let _ = end.send(how);
        }
    }

    fn next_piece(&mut self) -> Option<Bytes> {
        let bytes = self.piece.len().min(PIECE_BYTES);
        (bytes > 0).then(|| self.piece.split_to(bytes))
    }

    fn broken(&mut self) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        self.ended(BodyEnd::Broken);
        Poll::Ready(Some(Err(BrokeOff)))
    }
}

impl Body for PushBody {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        let this = self.get_mut();
        loop {
            if let Some(piece) = this.next_piece() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let Some(body) = &mut this.body else { return Poll::Ready(None) };
            match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // A gateway has no use for trailers.
                    this.piece = frame.into_data().unwrap_or_default();
                    this.begin.add(&this.piece);
                    this.look_for_end();
                }
                Some(Err(_)) => return this.broken(),
                // A body without a length seems to end where its connection is dropped.
                None if body.size_hint().lower() > 0 || this.stop.is_cancelled() => {
                    return this.broken();
                }
                None => this.ended(BodyEnd::Whole),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none() && self.piece.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let here = self.piece.len() as u64;
        match self.body.as_ref().map(Body::size_hint) {
            None => SizeHint::with_exact(here),
            Some(hint) => {
                hint.exact().map_or_else(SizeHint::new, |rest| SizeHint::with_exact(rest + here))
            }
        }
    }
}

impl Drop for PushBody {
    fn drop(&mut self) {
        if let (Some(rest), Some(end)) = (self.body.take(), self.end.take()) {
            let _ = end.send(BodyEnd::Left(rest));
        }
    }
}
