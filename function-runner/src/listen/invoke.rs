//! `POST /functions/<name>/invocations`: one invocation, from the request to the answer.

use batch::{OFFER, VERSION};
use bytes::Bytes;
use daemon::{
    body::{BodyMemory, RequestBody},
    http::{Body, json, json_bytes},
};
use http::{HeaderMap, Response, StatusCode, request::Parts};
use tracing::debug;

use crate::{
    invocation::{
        Fault, InvocationRequest, ReplyTo, event,
        request_id::{RequestId, traceparent},
    },
    runner::{Admitted, Runner},
};

/// Answers the request `head` with `body`, an invocation of the function `name`.
pub(super) async fn invoke(
    runner: &Runner,
    memory: &BodyMemory,
    name: &str,
    head: &Parts,
    body: RequestBody,
) -> Response<Body> {
    let id = RequestId::of(&head.headers);
    let outcome = match runner.admit(name) {
        Ok(call) => run(call, memory, &id, &head.headers, body).await,
        Err(fault) => Err(fault),
    };
    let mut response = match outcome {
        Ok(reply) => json_bytes(StatusCode::OK, Bytes::from(reply)),
        Err(fault) => refuse(&fault, &id),
    };
    id.stamp(response.headers_mut());
    response.headers_mut().insert(OFFER, VERSION);
    response
}

async fn run(
    call: Admitted,
    memory: &BodyMemory,
    id: &RequestId,
    headers: &HeaderMap,
    body: RequestBody,
) -> Result<String, Fault> {
    let event = event::read(memory, body).await?;
    let request = InvocationRequest {
        event,
        request_id: id.as_str().to_owned(),
        traceparent: traceparent(headers),
        reply_to: ReplyTo::Caller,
        tail: None,
    };
    call.run(request).await.outcome
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
