//! `GET /functions/<name>/logs`: the last lines of a function as server-sent events. With
//! `follow=true` also the lines to come, until the reader leaves or the runner has drained.
//!
//! There is no queue for a reader. A slow reader is told how many lines it has missed.

mod events;
mod query;

use std::sync::Arc;

use daemon::{
    http::{Body, message},
    serve::EndsWithPeer,
};
use futures_util::stream;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, StreamBody};
use tokio::sync::{Semaphore, TryAcquireError};
use tokio_util::sync::CancellationToken;

use self::{
    events::Reader,
    query::{Follow, Query},
};
use crate::invocation::RecentLines;

/// How many readers may follow logs at once. Each holds a connection, for any time.
const FOLLOWERS_MAX: usize = 64;

/// The readers that follow logs. A handle.
#[derive(Debug, Clone)]
pub(super) struct Followers {
    permits: Arc<Semaphore>,
    end: CancellationToken,
}

impl Followers {
    pub(super) fn new() -> Self {
        Self { permits: Arc::new(Semaphore::new(FOLLOWERS_MAX)), end: CancellationToken::new() }
    }

    /// Ends all readers after the lines that have been logged so far.
    pub(super) fn end(&self) {
        self.end.cancel();
    }

    /// Answers the request `head` with `lines`.
    pub(super) fn answer(&self, head: &Parts, lines: &RecentLines) -> Response<Body> {
        match Query::parse(head.uri.query().unwrap_or_default()) {
            Ok(query) => self.read(&query, lines),
            Err(problem) => message(StatusCode::BAD_REQUEST, &problem),
        }
    }

    fn read(&self, query: &Query, lines: &RecentLines) -> Response<Body> {
        let reader = Reader::new(lines, query.tail);
        match query.follow {
            Follow::No => event_stream(reader.until_now()),
            Follow::Yes => match Arc::clone(&self.permits).try_acquire_owned() {
                Ok(permit) => {
                    let mut response = event_stream(reader.following(self.end.clone(), permit));
                    // A reader that has left must not hold its permit until the next heartbeat.
                    response.extensions_mut().insert(EndsWithPeer);
                    response
                }
                Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => {
                    let text = format!("{FOLLOWERS_MAX} readers follow logs already; try again");
                    message(StatusCode::TOO_MANY_REQUESTS, &text)
                }
            },
        }
    }
}

fn event_stream(reader: Reader) -> Response<Body> {
    let body = StreamBody::new(stream::unfold(reader, Reader::step));
    let mut response = Response::new(BodyExt::boxed_unsync(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
