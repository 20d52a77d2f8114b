//! `POST /~/drain`: a caller says that it drains. As long as this request is open, a runner that
//! drains too admits invocations.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use daemon::{
    http::{Body, message},
    serve::{EndsWithPeer, PeerAddress},
};
use futures_util::stream;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::runner::{DRAINING_MAX, DrainingCaller, Runner};

/// How often something is written to the caller. Without it nobody would notice that the host of
/// the caller has lost its power.
const HEARTBEAT: Duration = Duration::from_secs(5);

type Step = Result<Frame<Bytes>, Box<dyn Error + Send + Sync>>;

/// A caller that is being answered.
#[derive(Debug)]
struct Waiting {
    #[expect(dead_code, reason = "held, not read")]
    caller: DrainingCaller,
    close: CancellationToken,
}

/// The answer ends when the caller leaves, or at `close`.
pub(super) fn answer(runner: &Runner, head: &Parts, close: CancellationToken) -> Response<Body> {
    let address = PeerAddress::of(&head.extensions);
    let Some(caller) = runner.callers().drains(address) else {
        let text = format!("{DRAINING_MAX} callers drain already; try again");
        return message(StatusCode::TOO_MANY_REQUESTS, &text);
    };
    if runner.is_draining() {
        info!(
            client.address = %address,
            "a caller drains: invocations are admitted until it has gone",
        );
    } else {
        debug!(client.address = %address, "a caller drains");
    }
    let body = StreamBody::new(stream::unfold(Some(Waiting { caller, close }), step));
    let mut response = Response::new(BodyExt::boxed_unsync(body));
    let plain = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.extensions_mut().insert(EndsWithPeer);
    response
}

/// The next piece of the answer. None after the last one.
async fn step(waiting: Option<Waiting>) -> Option<(Step, Option<Waiting>)> {
    let waiting = waiting?;
    let piece = |text| Ok(Frame::data(Bytes::from_static(text)));
    match timeout(HEARTBEAT, waiting.close.cancelled()).await {
        Ok(()) => Some((piece(b"the runner ends\n"), None)),
        Err(_) => Some((piece(b"\n"), Some(waiting))),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::runner::Callers;

    #[tokio::test(start_paused = true)]
    async fn a_caller_hears_a_heartbeat_until_the_end() {
        let (callers, close) = (Callers::default(), CancellationToken::new());
        let caller = callers.drains((Ipv4Addr::LOCALHOST, 1).into()).unwrap();
        let mut waiting = Some(Waiting { caller, close: close.clone() });
        for (is_closed, expected) in
            [(false, &b"\n"[..]), (false, b"\n"), (true, b"the runner ends\n")]
        {
            if is_closed {
                close.cancel();
            }
            let (piece, next) = step(waiting).await.unwrap();
            assert_eq!(piece.unwrap().into_data().unwrap(), expected);
            waiting = next;
        }
        assert!(step(waiting).await.is_none());
    }
}
