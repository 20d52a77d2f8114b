//! Answers a batch: sends each response as soon as it is ready.

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

use crate::{CONTENT_TYPE, wire::ItemResponse};

/// The body of the response to a batch.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// How long the server waits for all responses before it begins to send. Most are ready by then and
/// are sent together. When sending begins, the client may send the next batch.
const START_DELAY: Duration = Duration::from_millis(2);
/// A part of the body is sent when it has this many bytes, even if more responses are ready.
const FRAME_BYTES: usize = 64 << 10;

/// Whether the request with these headers is a batch.
pub fn is_batch(headers: &HeaderMap<HeaderValue>) -> bool {
    headers.get(header::CONTENT_TYPE) == Some(&CONTENT_TYPE)
}

/// Exchanges in progress, each with the index of its item in the request.
struct RunningExchanges {
    exchanges: FuturesUnordered<BoxFuture<'static, (usize, ItemResponse)>>,
    buffer: BytesMut,
}

/// The response to a batch. `exchanges` are in the order of their items and are started in this
/// order; they run at the same time.
pub async fn answer(
    exchanges: impl Iterator<Item = BoxFuture<'static, ItemResponse>>,
) -> Response<Body> {
    let indexed = exchanges
        .enumerate()
        .map(|(index, exchange)| exchange.map(move |response| (index, response)).boxed());
    let mut running = RunningExchanges { exchanges: indexed.collect(), buffer: BytesMut::new() };
    let body = match timeout(START_DELAY, running.all()).await {
        Ok(()) => Full::new(running.buffer.freeze()).map_err(|never| match never {}).boxed_unsync(),
        Err(_) => {
            StreamBody::new(stream::unfold(running, RunningExchanges::next_frame)).boxed_unsync()
        }
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
    response
}

type NextFrame = Result<Frame<Bytes>, Box<dyn Error + Send + Sync>>;

impl RunningExchanges {
    /// Waits for all responses and writes them to the buffer.
    async fn all(&mut self) {
        while let Some((index, response)) = self.exchanges.next().await {
            response.encode(index, &mut self.buffer);
        }
    }

    /// The responses that are ready. If none is ready, waits for the next one.
    async fn next_frame(mut self) -> Option<(NextFrame, Self)> {
        if self.buffer.is_empty() {
            let (index, response) = self.exchanges.next().await?;
            response.encode(index, &mut self.buffer);
        }
        while self.buffer.len() < FRAME_BYTES
            && let Some(Some((index, response))) = self.exchanges.next().now_or_never()
        {
            response.encode(index, &mut self.buffer);
        }
        let frame = Frame::data(self.buffer.split().freeze());
        Some((Ok(frame), self))
    }
}
