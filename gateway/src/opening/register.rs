//! Asks the register function whether a client may connect.

use std::error::Error;

use shared::{
    connection_id::ConnectionId,
    invocation::{Disposition, TRACEPARENT_HEADER},
};
use tracing::{debug, warn};

use super::refusal::Refusal;
use crate::{
    call::{Call, CallError, FunctionClient, UnendedCall, call_until},
    dialect::{HandshakeRequest, Registered},
    registry::Handle,
};

/// Why there is no connection.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the client is answered.
    pub(crate) refusal: Refusal,
    /// Whether the function may have stored something that cleanup must undo.
    pub(crate) may_have_run: bool,
    /// The call, if its function may still run.
    pub(crate) unended: Option<UnendedCall>,
}

/// Calls the register function, if the API has one. Gives the subprotocol that the function chose.
pub(crate) async fn register(
    functions: &FunctionClient,
    handle: &Handle,
    request: &HandshakeRequest,
) -> Result<Option<String>, Failure> {
    let (info, api) = (&handle.info, handle.api.config());
    let Some(url) = &api.register else { return Ok(None) };
    let mut call = api.dialect.register_call(url, &api, info, request);
    call.traceparent = request.headers.get(TRACEPARENT_HEADER).cloned();
    match call_until(functions, &call, api.settings.timeout).await {
        Ok(body) => judge(info.id, api.dialect.judge_register(&body)),
        Err(error) => Err(failed(info.id, &call, error)),
    }
}

fn judge(id: ConnectionId, answer: Registered) -> Result<Option<String>, Failure> {
    match answer {
        Registered::Accepted { subprotocol } => Ok(subprotocol),
        Registered::Refused { code, message } => {
            debug!(connection.id = %id, err_no = code, "register refused");
            Err(Failure { refusal: Refusal::Refused(message), may_have_run: false, unended: None })
        }
        Registered::Declined { message } => {
            debug!(connection.id = %id, "register declined");
            Err(Failure { refusal: Refusal::Refused(message), may_have_run: true, unended: None })
        }
        Registered::Unreadable(error) => {
            warn!(connection.id = %id, %error, "register answered something unreadable");
            Err(Failure { refusal: Refusal::Faulted, may_have_run: true, unended: None })
        }
    }
}

fn failed(id: ConnectionId, call: &Call, error: CallError) -> Failure {
    let invocation = &*call.request_id;
    let source = error.source();
    warn!(connection.id = %id, invocation.id = invocation, %error, source, "register failed");
    let refusal = match error.disposition {
        Disposition::NotRun => Refusal::NoCapacity,
        Disposition::Ran | Disposition::Faulted if error.timed_out => Refusal::TimedOut,
        Disposition::Ran | Disposition::Faulted => Refusal::Faulted,
    };
    let may_have_run = error.disposition != Disposition::NotRun;
    Failure { refusal, may_have_run, unended: error.unended }
}
