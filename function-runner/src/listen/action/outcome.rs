//! The report of an invocation in the form of the cloud API: a result, or an error if the function
//! did not get the event.

use std::time::Duration;

use shared::{
    action::{ActionError, ActionErrorCode, InvokeResult},
    invocation::InvocationFault,
};

use crate::invocation::{InvocationReport, RecentLines};

/// The result of the invocation `id`, with the log lines in `tail`.
pub(super) fn result(
    report: InvocationReport,
    id: &str,
    tail: Option<RecentLines>,
) -> Result<InvokeResult, ActionError> {
    let InvocationReport { outcome, duration, memory_peak } = report;
    let (ret_msg, err_msg, invoke_result) = match outcome {
        Ok(reply) => (reply, String::new(), 0),
        Err(fault) => {
            if let Some(code) = refused(fault.kind) {
                return Err(ActionError::new(code, fault.message()));
            }
            let error = fault.to_error_object(id);
            let object = serde_json::to_string(&error).expect("it has string keys");
            (object, error.error_message, -1)
        }
    };
    Ok(InvokeResult {
        function_request_id: id.to_owned(),
        ret_msg,
        err_msg,
        log: tail.map_or_else(String::new, |tail| tail.text()),
        duration: duration.as_secs_f64() * 1000.0,
        bill_duration: begun_ms(duration),
        mem_usage: memory_peak.unwrap_or(0),
        invoke_result,
    })
}

fn begun_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// The error code of a fault with which the function did not get the event. `None` for the other
/// faults, which are results.
fn refused(fault: InvocationFault) -> Option<ActionErrorCode> {
    match fault {
        InvocationFault::NoSuchFunction => Some(ActionErrorCode::NoSuchFunction),
        InvocationFault::TooManyRequests | InvocationFault::ConcurrencyExceeded => {
            Some(ActionErrorCode::RequestLimitExceeded)
        }
        InvocationFault::Draining => Some(ActionErrorCode::ServiceUnavailable),
        InvocationFault::EventTooLarge => Some(ActionErrorCode::RequestSizeLimitExceeded),
        InvocationFault::BadEvent
        | InvocationFault::ReplyTooLarge
        | InvocationFault::Raised
        | InvocationFault::TimedOut
        | InvocationFault::OutOfMemory
        | InvocationFault::HandlerMissing
        | InvocationFault::ProcessExited
        | InvocationFault::LoadFailed
        | InvocationFault::StartTimedOut => None,
    }
}
