//! `POST /`: the action `Invoke` of SCF's cloud API. Programs that use the client libraries of the
//! cloud can call functions here.
//!
//! The HTTP status is always 200, as in the cloud. `tc3` checks signatures.

mod outcome;
mod tc3;

use std::time::SystemTime;

use daemon::{
    body::{BodyError, BodyMemory, HeldBody, RequestBody},
    http::{Body, json},
    offload::offload,
};
use http::{HeaderMap, Response, StatusCode, request::Parts};
use shared::action::{
    ACTION_HEADER, ActionAnswer, ActionError, ActionErrorCode, ActionOutcome, ActionResponse,
    INVOKE, InvocationType, Invoke, InvokeResult, LogType, VERSION, VERSION_HEADER,
};
use tracing::debug;

use crate::{
    invocation::{
        InvocationRequest, RecentLines, ReplyTo, event,
        request_id::{RequestId, traceparent},
    },
    runner::Runner,
    settings::SecretPair,
};

/// The largest body. The event in it is a JSON string, which is longer than the event.
const BODY_BYTES_MAX: usize = 3 * event::BYTES_MAX;

/// Answers the request `head` with `body`.
pub(super) async fn answer(
    runner: &Runner,
    memory: &BodyMemory,
    head: &Parts,
    body: RequestBody,
) -> Response<Body> {
    let id = RequestId::of(&head.headers);
    let outcome = act(runner, memory, head, body, &id).await.map_or_else(
        |error| {
            // Without the message, which may quote the request.
            debug!(invocation.id = id.as_str(), error = ?error.code, "action refused");
            ActionOutcome::Error(error)
        },
        ActionOutcome::Result,
    );
    let response = ActionResponse { outcome, request_id: id.as_str().to_owned() };
    let mut response = json(StatusCode::OK, &ActionAnswer { response });
    id.stamp(response.headers_mut());
    response
}

async fn act(
    runner: &Runner,
    memory: &BodyMemory,
    head: &Parts,
    body: RequestBody,
    id: &RequestId,
) -> Result<InvokeResult, ActionError> {
    let body = read(memory, body).await?;
    let (secret, head) = (runner.secret(), head.clone());
    let bytes = body.bytes.clone();
    let parsed = offload(bytes.len(), move || parse(secret.as_deref(), &head, &bytes)).await;
    drop(body);
    let (request, traceparent) = parsed?;
    if request.client_context.len() > event::BYTES_MAX {
        let message = format!("ClientContext is larger than {} bytes", event::BYTES_MAX);
        return Err(ActionError::new(ActionErrorCode::RequestSizeLimitExceeded, message));
    }
    invoke(runner, request, id, traceparent).await
}

async fn read(memory: &BodyMemory, body: RequestBody) -> Result<HeldBody, ActionError> {
    memory.read(body, BODY_BYTES_MAX).await.map_err(|error| {
        let code = match error {
            BodyError::NoMemory => ActionErrorCode::RequestLimitExceeded,
            BodyError::TooLarge(_) => ActionErrorCode::RequestSizeLimitExceeded,
            BodyError::TooSlow | BodyError::Broken(_) | BodyError::NotGzip(_) => {
                ActionErrorCode::InvalidRequest
            }
        };
        ActionError::new(code, error.to_string())
    })
}

/// The invocation that the request asks for, and its `traceparent`. With a `secret` the request has
/// to be signed.
fn parse(
    secret: Option<&SecretPair>,
    head: &Parts,
    body: &[u8],
) -> Result<(Invoke, Option<String>), ActionError> {
    if let Some(pair) = secret {
        tc3::verify(pair, head, body, SystemTime::now())?;
    }
    check_action(&head.headers)?;
    Ok((Invoke::parse(body)?, traceparent(&head.headers)))
}

fn check_action(headers: &HeaderMap) -> Result<(), ActionError> {
    match headers.get(ACTION_HEADER) {
        None => {
            let message = format!("X-TC-Action is missing; use {INVOKE}");
            return Err(ActionError::new(ActionErrorCode::MissingParameter, message));
        }
        Some(action) if action != INVOKE => {
            let message = format!("action {action:?} is not known here; use {INVOKE}");
            return Err(ActionError::new(ActionErrorCode::InvalidAction, message));
        }
        Some(_) => {}
    }
    match headers.get(VERSION_HEADER) {
        Some(version) if version != VERSION => {
            let message = format!("version {version:?} is not known here; use {VERSION}");
            Err(ActionError::new(ActionErrorCode::NoSuchVersion, message))
        }
        Some(_) | None => Ok(()),
    }
}

async fn invoke(
    runner: &Runner,
    request: Invoke,
    id: &RequestId,
    traceparent: Option<String>,
) -> Result<InvokeResult, ActionError> {
    let Invoke { function_name, client_context, invocation_type, log_type } = request;
    let id = id.as_str();
    let call = match runner.admit(&function_name) {
        Ok(call) => call,
        Err(fault) => return outcome::result(fault.into(), id, None),
    };
    let tail = (log_type == LogType::Tail).then(RecentLines::of_invocation);
    let order = InvocationRequest {
        event: client_context.into(),
        request_id: id.to_owned(),
        traceparent,
        reply_to: invocation_type.into(),
        tail: tail.clone(),
    };
    match invocation_type {
        InvocationType::RequestResponse => outcome::result(call.run(order).await, id, tail),
        // It runs in a task that the runner waits for, and counts for the limits of the runner.
        InvocationType::Event => match call.start(order) {
            Ok(_running) => {
                Ok(InvokeResult { function_request_id: id.to_owned(), ..InvokeResult::default() })
            }
            Err(fault) => outcome::result(fault.into(), id, None),
        },
    }
}

impl From<InvocationType> for ReplyTo {
    fn from(invocation_type: InvocationType) -> Self {
        match invocation_type {
            InvocationType::RequestResponse => Self::Caller,
            InvocationType::Event => Self::Nobody,
        }
    }
}
