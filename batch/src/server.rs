//! Answering a batch: each answer goes out when it is there.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};
use http::{HeaderMap, HeaderValue, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use tokio::time::timeout;

use crate::{CONTENT_TYPE, wire::Answer};

/// An answer that begins to be sent.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// Most answers are there by then, and go out at once. After it the client is told that the
/// batch has come, so that it sends the next one.
const START_DELAY: Duration = Duration::from_millis(2);
/// A part of the answer is sent when it has so many bytes, however many more there are.
const FRAME_BYTES: usize = 64 << 10;

/// Whether the request with these headers is a batch.
pub fn is_batch(headers: &HeaderMap<HeaderValue>) -> bool {
    headers.get(header::CONTENT_TYPE) == Some(&CONTENT_TYPE)
}

/// Exchanges under way, each with its place among the items of the request.
struct Running {
    exchanges: FuturesUnordered<BoxFuture<'static, (usize, Answer)>>,
    buffer: BytesMut,
}

/// Answers with what comes of `exchanges`, which are in the order of their items and begin in it.
pub async fn answer(exchanges: impl Iterator<Item = BoxFuture<'static, Answer>>) -> Response<Body> {
    let placed = exchanges
        .enumerate()
        .map(|(place, exchange)| exchange.map(move |answer| (place, answer)).boxed());
    let mut running = Running { exchanges: placed.collect(), buffer: BytesMut::new() };
    let body = match timeout(START_DELAY, running.all()).await {
        Ok(()) => Full::new(running.buffer.freeze()).map_err(|never| match never {}).boxed_unsync(),
        Err(_) => StreamBody::new(stream::unfold(running, Running::next_frame)).boxed_unsync(),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
    response
}

type NextFrame = Result<Frame<Bytes>, Box<dyn Error + Send + Sync>>;

impl Running {
    async fn all(&mut self) {
        while let Some((place, answer)) = self.exchanges.next().await {
            answer.encode(place, &mut self.buffer);
        }
    }

    /// What there is, and if that is nothing yet what comes next.
    async fn next_frame(mut self) -> Option<(NextFrame, Self)> {
        if self.buffer.is_empty() {
            let (place, answer) = self.exchanges.next().await?;
            answer.encode(place, &mut self.buffer);
        }
        while self.buffer.len() < FRAME_BYTES
            && let Some(Some((place, answer))) = self.exchanges.next().now_or_never()
        {
            answer.encode(place, &mut self.buffer);
        }
        let frame = Frame::data(self.buffer.split().freeze());
        Some((Ok(frame), self))
    }
}
