//! Answers a batch: sends each response as soon as it is ready.

use std::{error::Error, future::poll_fn, task::Poll, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};
use http::{HeaderMap, HeaderValue, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use tokio::{
    task::coop::{consume_budget, poll_proceed},
    time::{Instant, timeout_at},
};

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
#[derive(Default)]
struct RunningExchanges {
    exchanges: FuturesUnordered<BoxFuture<'static, (usize, ItemResponse)>>,
    buffer: BytesMut,
}

/// The response to a batch. `exchanges` are in the order of their items and are started in this
/// order; they run at the same time. Other tasks have their turns, however many exchanges there
/// are: each one is made when it can start.
pub async fn answer(
    exchanges: impl Iterator<Item = BoxFuture<'static, ItemResponse>>,
) -> Response<Body> {
    let start_of_response = Instant::now() + START_DELAY;
    let mut running = RunningExchanges::default();
    for (index, exchange) in exchanges.enumerate() {
        consume_budget().await;
        running.start(index, exchange);
    }
    let body = match timeout_at(start_of_response, running.all()).await {
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
    /// Starts an exchange, and writes the responses that are ready.
    fn start(&mut self, index: usize, exchange: BoxFuture<'static, ItemResponse>) {
        self.exchanges.push(in_turn(index, exchange).boxed());
        while let Some(Some((index, response))) = self.exchanges.next().now_or_never() {
            response.encode(index, &mut self.buffer);
        }
    }

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

/// The exchange, as a part of a task that polls many. Each poll is one of those that the task has
/// before others have their turn.
fn in_turn(
    index: usize,
    mut exchange: BoxFuture<'static, ItemResponse>,
) -> impl Future<Output = (usize, ItemResponse)> {
    poll_fn(move |context| match poll_proceed(context) {
        Poll::Ready(polled) => {
            polled.made_progress();
            exchange.poll_unpin(context).map(|response| (index, response))
        }
        Poll::Pending => {
            // At once, from which the set learns that the task has to yield. It would poll all
            // other exchanges for nothing first.
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
}
