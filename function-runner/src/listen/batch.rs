//! `POST /functions/<name>/invocations` with a batch: many invocations in one request.

use batch::{Item, ItemResponse, server, wire::items};
use bytes::Bytes;
use daemon::{
    body::{BodyError, BodyMemory, RequestBody},
    http::{Body, message},
};
use futures_util::future::BoxFuture;
use http::{Response, StatusCode};
use shared::invocation::InvocationFault;

use crate::{
    invocation::{Fault, InvocationRequest, ReplyTo, event, request_id},
    runner::{Runner, report_of},
};

/// Answers a batch of invocations of the function `name`. They run at the same time, each as if it
/// had come alone.
pub(super) async fn invoke_batch(
    runner: &Runner,
    memory: &BodyMemory,
    name: &str,
    body: RequestBody,
) -> Response<Body> {
    let items = match memory.read(body, event::BYTES_MAX).await {
        Ok(body) => items(body.bytes).map_err(|error| error.to_string()),
        Err(error @ BodyError::NoMemory) => {
            return message(StatusCode::TOO_MANY_REQUESTS, &error.to_string());
        }
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

/// Starts one invocation of a batch. The future resolves when it has ended.
fn exchange(runner: &Runner, name: &str, item: Item) -> BoxFuture<'static, ItemResponse> {
    let Item { id, traceparent, body } = item;
    // A copy: a slice would keep the whole batch in memory.
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
