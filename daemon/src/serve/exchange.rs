//! One request and its answer: what the service gets, and how a connection goes on after an answer
//! that came before the end of the request.

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::task::yield_now;

use crate::{
    activity::{Activity, BodyLeft},
    body::RequestBody,
    http::{Body, message},
};

/// How much of a body that the service did not read is read so that the connection can go on.
const LEFT_BYTES_MAX: usize = 64 << 10;
/// How often hyper is given a turn to hand over what it has of such a body.
const TURNS_MAX: usize = 16;

/// Seconds after which a client for which there is no permit may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// An extension of a response: if the peer ends its sending side, the response ends too. For
/// responses without an end, whose reader may have left.
#[derive(Debug, Clone, Copy)]
pub struct EndsWithPeer;

/// The request as the service gets it.
pub(super) fn begin(request: Request<Incoming>, activity: &Activity) -> Request<RequestBody> {
    activity.request_begins(request.body().size_hint().exact());
    request.map(|body| RequestBody::new(body, activity.clone()))
}

/// Prepares the connection for what comes after `response`. `asked_first` says that the client
/// sends its body only when it is told to.
pub(super) async fn end(response: &mut Response<Body>, activity: &Activity, asked_first: bool) {
    let ends_with_peer = response.extensions().get::<EndsWithPeer>().is_some();
    let goes_on = match activity.request_answered(ends_with_peer) {
        BodyLeft::Nothing => true,
        // Reading would make hyper answer 100.
        BodyLeft::Unread(body) => !asked_first && has_come(body).await,
        BodyLeft::Held => false,
    };
    if !goes_on {
        close(response);
        activity.discard();
    }
}

/// The answer to a request that is not valid HTTP.
pub(super) fn bad_request(problem: &str) -> Response<Body> {
    message(StatusCode::BAD_REQUEST, problem)
}

/// The answer to a client that had to show a certificate in the handshake of TLS.
pub(super) fn no_certificate() -> Response<Body> {
    let text = "need a client certificate that an authority of this listener has signed";
    message(StatusCode::FORBIDDEN, text)
}

/// The answer to a request for which there is no permit.
pub(super) fn no_permit() -> Response<Body> {
    let text = "all connections of this listener are in use, try again later";
    let mut response = message(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    response
}

/// Tells the client that the connection is closed after `response`.
pub(super) fn close(response: &mut Response<Body>) {
    // Hyper would put `close` into a 101 as well, which clients do not accept as an upgrade.
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Reads what has come of a small body, and keeps nothing of it. Whether that was all of it.
async fn has_come(mut body: Incoming) -> bool {
    let mut bytes = 0;
    for _ in 0..TURNS_MAX {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = yield_now() => continue,
        };
        match frame {
            None => return true,
            Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, bytes::Bytes::len),
            Some(Err(_)) => return false,
        }
        if bytes > LEFT_BYTES_MAX {
            return false;
        }
        if body.is_end_stream() {
            return true;
        }
    }
    false
}
