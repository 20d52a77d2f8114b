//! `POST /functions/<name>/invocations`: from the request to the answer.

use batch::{Item, ItemResponse, OFFER, VERSION, server, wire::items};
use bytes::Bytes;
use daemon::http::{Body, json, json_bytes, message, read_body};
use futures_util::future::BoxFuture;
use http::{HeaderMap, Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use shared::invocation::InvocationFault;
use tracing::debug;

use crate::{
    invocation::{
        Fault, InvocationRequest, ReplyTo, event,
        request_id::{self, RequestId, traceparent},
    },
    runner::{Admitted, Runner, report_of},
};

/// Answers the request `head` with `body`, which names the function `name`.
pub(super) async fn invoke(
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
    response.headers_mut().insert(OFFER, VERSION);
    response
}

/// Answers a batch of invocations of the function `name`. They run beside each other, each as if
/// it had come alone.
pub(super) async fn invoke_batch(runner: &Runner, name: &str, body: Incoming) -> Response<Body> {
    let items = match read_body(body, event::BYTES_MAX).await {
        Ok(body) => items(body).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match items {
        Ok(items) => {
            let exchanges = items.into_iter().map(|item| exchange(runner, name, item));
            server::answer(exchanges).await
        }
        Err(problem) => message(StatusCode::BAD_REQUEST, &problem),
    }
}

/// Starts one invocation of a batch at once, and answers when it has ended.
fn exchange(runner: &Runner, name: &str, item: Item) -> BoxFuture<'static, ItemResponse> {
    let Item { id, traceparent, body } = item;
    // A part of the batch would keep all of it in memory.
    let event = Bytes::copy_from_slice(&body);
    let started = runner.admit(name).and_then(|call| {
        if id.len() > request_id::BYTES_MAX {
            return Err(Fault::new(InvocationFault::BadEvent, "the id of the event is too long"));
        }
        let request = InvocationRequest {
            event: event::checked(event)?,
            request_id: id.clone().into(),
            traceparent: traceparent.map(Into::into),
            reply_to: ReplyTo::Caller,
            tail: None,
        };
        call.start(request)
    });
    let answer = async move {
        let outcome = match started {
            Ok(running) => report_of(running.await).outcome,
            Err(fault) => Err(fault),
        };
        match outcome {
            Ok(reply) => ItemResponse { status: 200, body: reply.into() },
            Err(fault) => {
                let error = serde_json::to_vec(&fault.to_error_object(&id));
                let body = error.expect("it has string keys").into();
                ItemResponse { status: fault.kind.status(), body }
            }
        }
    };
    Box::pin(answer)
}

async fn run(
    call: Admitted,
    id: &RequestId,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<String, Fault> {
    let event = event::read(body).await?;
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
