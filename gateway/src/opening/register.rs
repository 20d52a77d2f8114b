//! Asks the register function whether a client may connect.

use std::error::Error;

use http::HeaderValue;
use shared::{connection_id::ConnectionId, invocation::Disposition, reply::RegisterReply};
use tracing::{debug, warn};
use uuid::Uuid;

use super::{handshake::Handshake, refusal::Refusal};
use crate::{
    api::Api,
    call::{Call, CallError, Caller, Rest, call_until},
    dialect::tencent,
};

/// Why there is no connection.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the client is told.
    pub(crate) refusal: Refusal,
    /// Whether the function may have stored something that cleanup must undo.
    pub(crate) may_have_run: bool,
    /// The rest of the call, if the function may still be at work.
    pub(crate) rest: Option<Rest>,
}

/// Calls the register function, if the API has one. The subprotocol it chose, when it accepts.
pub(crate) async fn register(
    caller: &Caller,
    api: &Api,
    id: ConnectionId,
    handshake: &Handshake,
    traceparent: Option<HeaderValue>,
) -> Result<Option<String>, Failure> {
    let api = api.config();
    let Some(url) = &api.register else { return Ok(None) };
    let request_id = Uuid::new_v4().to_string();
    let event = tencent::register(&api, id, handshake, &request_id);
    let call = Call {
        url: url.clone(),
        event: event.into(),
        request_id: request_id.into(),
        traceparent,
        attempt: None,
    };
    match call_until(caller, &call, api.settings.timeout).await {
        Ok(body) => judge(id, &body),
        Err(error) => Err(failed(id, &call, error)),
    }
}

fn judge(id: ConnectionId, body: &[u8]) -> Result<Option<String>, Failure> {
    match RegisterReply::parse(body) {
        Ok(RegisterReply::Accepted { protocol }) => Ok(protocol),
        Ok(RegisterReply::Refused { err_no, err_msg }) => {
            debug!(connection.id = %id, err_no, "register refused");
            Err(Failure { refusal: Refusal::Refused(err_msg), may_have_run: false, rest: None })
        }
        Ok(RegisterReply::Declined { err_msg }) => {
            debug!(connection.id = %id, "register declined");
            Err(Failure { refusal: Refusal::Refused(err_msg), may_have_run: true, rest: None })
        }
        Err(error) => {
            warn!(connection.id = %id, %error, "register answered something unreadable");
            Err(Failure { refusal: Refusal::Faulted, may_have_run: true, rest: None })
        }
    }
}

fn failed(id: ConnectionId, call: &Call, error: CallError) -> Failure {
    let invocation = &*call.request_id;
    let source = error.source();
    warn!(connection.id = %id, invocation.id = invocation, %error, source, "register failed");
    let refusal = match error.disposition {
        Disposition::NotRun => Refusal::NoRoom,
        Disposition::Ran | Disposition::Faulted if error.timed_out => Refusal::TimedOut,
        Disposition::Ran | Disposition::Faulted => Refusal::Faulted,
    };
    let may_have_run = error.disposition != Disposition::NotRun;
    Failure { refusal, may_have_run, rest: error.rest }
}
