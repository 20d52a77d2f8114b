//! Asks the register function whether a client may connect.

use shared::invocation::{Disposition, TRACEPARENT_HEADER};
use tracing::{debug, info};

use super::refusal::Refusal;
use crate::{
    call::{Call, CallError, FunctionClient, Repeated, UnendedCall, call_until, log_failed, shown},
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
        Ok(body) => judge(functions, &call, api.dialect.judge_register(&body)),
        Err(error) => Err(failed(functions, &call, error)),
    }
}

fn judge(
    functions: &FunctionClient,
    call: &Call,
    answer: Registered,
) -> Result<Option<String>, Failure> {
    let id = call.origin.connection_id;
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
        Registered::Nothing => {
            report_nothing(functions, call);
            let refusal = Refusal::Refused(String::new());
            Err(Failure { refusal, may_have_run: true, unended: None })
        }
        Registered::Unreadable(problem) => {
            let error = CallError::unreadable(problem);
            let failed = functions.failed(call, &error);
            log_failed!(warn, failed, "register answered something unreadable");
            Err(Failure { refusal: Refusal::Faulted, may_have_run: true, unended: None })
        }
    }
}

/// A line from time to time: a function that returns nothing was mostly meant to accept.
fn report_nothing(functions: &FunctionClient, call: &Call) {
    let (id, origin) = (call.origin.connection_id, &call.origin);
    let Some(left_out) = functions.line_turn(Repeated::Nothing, origin) else {
        return debug!(connection.id = %id, "register answered null");
    };
    info!(
        api.id = &*origin.api_id, function.name = functions.name_of(&call.url),
        url.full = %shown(&call.url), connection.id = %id, invocation.id = &*call.request_id,
        left_out,
        "register answered null, which refuses the client: to let it in, the function has to \
         return {{\"errNo\":0,\"errMsg\":\"ok\"}}"
    );
}

fn failed(functions: &FunctionClient, call: &Call, error: CallError) -> Failure {
    log_failed!(warn, functions.failed(call, &error), "register failed");
    let refusal = match error.disposition {
        Disposition::NotRun if error.is_unreachable() => Refusal::Unreachable,
        Disposition::NotRun => Refusal::NotRun,
        Disposition::Ran | Disposition::Faulted if error.timed_out => Refusal::TimedOut,
        Disposition::Ran | Disposition::Faulted => Refusal::Faulted,
    };
    let may_have_run = error.disposition != Disposition::NotRun;
    Failure { refusal, may_have_run, unended: error.unended }
}
