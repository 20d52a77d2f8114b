//! `POST /~/drain`: a caller says that it drains. As long as this request is open, a runner that
//! drains too admits invocations.

use std::error::Error;

use bytes::Bytes;
use daemon::{http::Body, serve::EndsWithPeer};
use futures_util::stream;
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::runner::{Callers, DrainingCaller};

type LastFrame = Result<Frame<Bytes>, Box<dyn Error + Send + Sync>>;

/// The answer ends when the caller leaves, or at `close`.
pub(super) fn answer(callers: &Callers, close: CancellationToken) -> Response<Body> {
    info!("a caller drains: its calls are admitted until it has gone");
    let caller = callers.drains();
    let body = StreamBody::new(stream::once(hold(caller, close)));
    let mut response = Response::new(BodyExt::boxed_unsync(body));
    let plain = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.extensions_mut().insert(EndsWithPeer);
    response
}

async fn hold(caller: DrainingCaller, close: CancellationToken) -> LastFrame {
    close.cancelled().await;
    drop(caller);
    Ok(Frame::data(Bytes::from_static(b"the runner ends\n")))
}
