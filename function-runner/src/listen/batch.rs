//! `POST /functions/<name>/invocations` with a batch: many invocations in one request.

use batch::{
    Item, ItemResponse, server,
    wire::{Malformed, items},
};
use bytes::Bytes;
use daemon::{
    body::{BodyError, BodyMemory, RequestBody},
    http::{Body, message},
    offload::offload,
};
use futures_util::future::BoxFuture;
use http::{Response, StatusCode};
use shared::invocation::InvocationFault;

use crate::{
    invocation::{Fault, InvocationRequest, ReplyTo, event, request_id},
    runner::{Runner, report_of},
};

/// One event of a batch.
struct BatchEvent {
    id: Box<str>,
    traceparent: Option<Box<str>>,
    event: Result<Bytes, Fault>,
}

/// Answers a batch of invocations of the function `name`. They run at the same time, each as if it
/// had come alone.
pub(super) async fn invoke_batch(
    runner: &Runner,
    memory: &BodyMemory,
    name: &str,
    body: RequestBody,
) -> Response<Body> {
    let events = match memory.read(body, event::BYTES_MAX).await {
        Ok(body) => {
            let bytes = body.bytes.clone();
            let events = offload(bytes.len(), || events(bytes)).await;
            events.map_err(|error| error.to_string())
        }
        Err(error @ (BodyError::NoMemory | BodyError::NoShare)) => {
            return message(StatusCode::TOO_MANY_REQUESTS, &error.to_string());
        }
        Err(error) => Err(error.to_string()),
    };
    match events {
        Ok(events) => {
            let exchanges = events.into_iter().map(|event| exchange(runner, name, event));
            server::answer(exchanges).await
        }
        Err(problem) => message(StatusCode::BAD_REQUEST, &problem),
    }
}

/// The events in a batch.
fn events(batch: Bytes) -> Result<Vec<BatchEvent>, Malformed> {
    let event_of = |Item { id, traceparent, body }| {
        // A copy: a slice would keep the whole batch in memory.
        let event = event::checked(&Bytes::copy_from_slice(&body));
        BatchEvent { id, traceparent, event }
    };
    Ok(items(batch)?.into_iter().map(event_of).collect())
}

/// Starts one invocation of a batch. The future resolves when it has ended.
fn exchange(runner: &Runner, name: &str, event: BatchEvent) -> BoxFuture<'static, ItemResponse> {
    let BatchEvent { id, traceparent, event } = event;
    let started = runner.admit(name).and_then(|call| {
        if id.len() > request_id::BYTES_MAX {
            return Err(Fault::new(InvocationFault::BadEvent, "the id of the event is too long"));
        }
        let request = InvocationRequest {
            event: event?,
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
