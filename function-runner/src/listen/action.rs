//! `POST /`: the action `Invoke` of SCF's cloud API. Programs that use the client libraries of the
//! cloud can call functions here.
//!
//! The HTTP status is always 200, as in the cloud. `tc3` checks signatures.

mod outcome;
mod tc3;

use std::{net::Ipv4Addr, time::SystemTime};

use bytes::Bytes;
use daemon::{
    body::{BodyError, BodyMemory, HeldBody},
    credentials::is_loopback,
    http::{Body, json},
    offload::offload,
    serve::PeerAddress,
};
use http::{HeaderMap, Response, StatusCode, request::Parts};
use shared::action::{
    ACTION_HEADER, ActionAnswer, ActionError, ActionErrorCode, ActionOutcome, ActionResponse,
    INVOKE, InvocationType, Invoke, InvokeResult, LogType, VERSION, VERSION_HEADER,
};
use tracing::debug;

use self::tc3::SignedHead;
use super::bodies::Bodies;
use crate::{
    invocation::{
        InvocationRequest, RecentLines, ReplyTo, event,
        request_id::{RequestId, traceparent},
    },
    runner::Runner,
};

/// The largest body. The event in it is a JSON string, which is longer than the event.
pub(super) const BODY_BYTES_MAX: usize = 3 * event::BYTES_MAX;

/// Has functions of `runner` reach this API by its name in the cloud, until the value is dropped.
pub(super) fn answer_by_name(runner: &Runner, bodies: &Bodies) -> Named {
    let (runner, bodies) = (runner.clone(), bodies.clone());
    let named = Named(runner.clone());
    runner.clone().answer_actions(Some(Box::new(move |request| {
        let (runner, bodies) = (runner.clone(), bodies.clone());
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            // A function is a caller on this machine.
            head.extensions.insert(PeerAddress((Ipv4Addr::LOCALHOST, 0).into()));
            answer(&runner, &bodies.of_actions, &head, body).await
        })
    })));
    named
}

/// While this exists, functions reach the cloud API by its name.
pub(super) struct Named(Runner);

impl Drop for Named {
    /// What answers has the runner, which has what answers.
    fn drop(&mut self) {
        self.0.answer_actions(None);
    }
}

/// Answers the request `head` with `body`.
pub(super) async fn answer<B>(
    runner: &Runner,
    memory: &BodyMemory,
    head: &Parts,
    body: B,
) -> Response<Body>
where
    B: hyper::body::Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
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

/// What the signature of a request has to be.
enum Signature {
    /// That of this head with the body.
    Of(SignedHead),
    Any,
}

impl Signature {
    /// What is asked of the request `head`. The error says that there is no pair to sign with, or
    /// what cannot be right whatever the body is.
    fn asked_of(runner: &Runner, head: &Parts) -> Result<Self, ActionError> {
        if let Some(role) = runner.role_pairs().iter().find(|pair| tc3::is_of(pair, head)) {
            return SignedHead::check(role, head, SystemTime::now()).map(Self::Of);
        }
        if let Some(pair) = runner.secret() {
            return SignedHead::check(&pair, head, SystemTime::now()).map(Self::Of);
        }
        let is_trusted =
            || runner.trusts_this_machine() && is_loopback(PeerAddress::of(&head.extensions));
        if runner.gate().is_open() || is_trusted() {
            return Ok(Self::Any);
        }
        let message = "the runner has no pair to check signatures with; set secret_id and secret_key \
                       of [invoke] in functions.toml, and sign with this pair";
        Err(ActionError::new(ActionErrorCode::SecretIdNotFound, message))
    }
}

async fn act<B>(
    runner: &Runner,
    memory: &BodyMemory,
    head: &Parts,
    body: B,
    id: &RequestId,
) -> Result<InvokeResult, ActionError>
where
    B: hyper::body::Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    let signature = Signature::asked_of(runner, head)?;
    let body = read(memory, body).await?;
    let (bytes, head) = (body.bytes.clone(), head.clone());
    let parsed = offload(bytes.len(), move || parse(signature, &head, &bytes)).await;
    drop(body);
    let (request, traceparent) = parsed?;
    if request.client_context.len() > event::BYTES_MAX {
        let message = format!("ClientContext is larger than {} bytes", event::BYTES_MAX);
        return Err(ActionError::new(ActionErrorCode::RequestSizeLimitExceeded, message));
    }
    invoke(runner, request, id, traceparent).await
}

async fn read<B>(memory: &BodyMemory, body: B) -> Result<HeldBody, ActionError>
where
    B: hyper::body::Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    memory.read(body, BODY_BYTES_MAX).await.map_err(|error| {
        let code = match error {
            BodyError::NoMemory | BodyError::NoShare => ActionErrorCode::RequestLimitExceeded,
            BodyError::TooLarge(_) => ActionErrorCode::RequestSizeLimitExceeded,
            BodyError::TooSlow | BodyError::Broken(_) | BodyError::NotGzip(_) => {
                ActionErrorCode::InvalidRequest
            }
        };
        ActionError::new(code, error.to_string())
    })
}

/// The invocation that the request asks for, and its `traceparent`.
fn parse(
    signature: Signature,
    head: &Parts,
    body: &[u8],
) -> Result<(Invoke, Option<String>), ActionError> {
    match signature {
        Signature::Of(signed) => signed.verify(body)?,
        Signature::Any => {}
    }
    check_action(&head.headers)?;
    Ok((Invoke::parse(body)?, traceparent(&head.headers)))
}

fn check_action(headers: &HeaderMap) -> Result<(), ActionError> {
    for name in [ACTION_HEADER, VERSION_HEADER] {
        if headers.get_all(name).iter().count() > 1 {
            let message = format!("header {name} is there twice; send it once");
            return Err(ActionError::new(ActionErrorCode::InvalidRequest, message));
        }
    }
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
