//! `POST /functions/<name>/invocations`: from the request to the answer.

use bytes::Bytes;
use daemon::http::{Body, json, json_bytes};
use http::{HeaderMap, Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use tracing::debug;

use crate::{
    event,
    fault::Fault,
    invocation::{Caller, Order},
    request_id::{RequestId, traceparent},
    runner::{Call, Runner},
};

/// Answers the request `head` with `body`, which names the function `name`.
pub(crate) async fn invoke(
    runner: &Runner,
    name: &str,
    head: &Parts,
    body: Incoming,
) -> Response<Body> {
    let id = RequestId::of(&head.headers);
    let outcome = match runner.admit(name) {
        Ok(call) => run(call, &id, &head.headers, body).await,
        Err(fault) => {
            event::discard(body).await;
            Err(fault)
        }
    };
    let mut response = match outcome {
        Ok(reply) => json_bytes(StatusCode::OK, Bytes::from(reply)),
        Err(fault) => refuse(&fault, &id),
    };
    id.stamp(response.headers_mut());
    response
}

async fn run(
    call: Call,
    id: &RequestId,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<String, Fault> {
    let event = event::read(body).await?;
    let order = Order {
        event,
        request_id: id.as_str().to_owned(),
        traceparent: traceparent(headers),
        caller: Caller::Waits,
        tail: None,
    };
    call.run(order).await.outcome
}

fn refuse(fault: &Fault, id: &RequestId) -> Response<Body> {
    let status = fault.kind.status();
    debug!(
        invocation.id = id.as_str(),
        http.response.status_code = status,
        "invocation without a reply"
    );
    let status = StatusCode::from_u16(status).expect("faults have statuses of three digits");
    json(status, &fault.to_error_object(id.as_str()))
}
