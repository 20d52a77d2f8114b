//! Why a call of a function has no result, and what that means for its event.

use std::{error::Error, fmt};

use batch::NoAnswer;
use http::StatusCode;
use shared::invocation::{Disposition, InvocationFault};

use super::UnendedCall;

/// Why a call has no result.
#[derive(Debug)]
pub(crate) struct CallError {
    /// Whether the function ran.
    pub(crate) disposition: Disposition,
    /// Whether the timeout of the function or of the call passed.
    pub(crate) timed_out: bool,
    /// The call, if its function may still run.
    pub(crate) unended: Option<UnendedCall>,
    what: What,
}

#[derive(Debug)]
enum What {
    Status(u16),
    Transport(reqwest::Error),
    NoAnswer(NoAnswer),
    Deadline,
    NoTurn,
    TooLarge,
}

impl CallError {
    /// The response had a status other than 200.
    pub(crate) fn status(status: u16) -> Self {
        let fault = InvocationFault::from_status(status);
        Self {
            disposition: fault.map_or(Disposition::Faulted, InvocationFault::disposition),
            timed_out: fault == Some(InvocationFault::TimedOut),
            unended: None,
            what: What::Status(status),
        }
    }

    /// There was no complete response. If no connection was made, nothing ran.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let not_run = error.is_connect();
        Self {
            disposition: if not_run { Disposition::NotRun } else { Disposition::Faulted },
            timed_out: error.is_timeout() && !not_run,
            unended: None,
            // A URL may hold credentials.
            what: What::Transport(error.without_url()),
        }
    }

    /// The batch of the call had no answer for it.
    pub(crate) fn no_answer(error: NoAnswer) -> Self {
        let disposition = match &error {
            NoAnswer::TooLarge => return Self::too_large(),
            // A proxy in between may answer so for a batch that the runner has taken.
            NoAnswer::Refused(status) if is_of_proxy(*status) => Disposition::Faulted,
            // A server that took the batch for one event has not got the events.
            NoAnswer::NotSent(_)
            | NoAnswer::NotOffered
            | NoAnswer::Foreign
            | NoAnswer::Refused(_) => Disposition::NotRun,
            NoAnswer::TimedOut(_) | NoAnswer::Broken(_) => Disposition::Faulted,
        };
        Self { disposition, timed_out: false, unended: None, what: What::NoAnswer(error) }
    }

    /// The call has passed its timeout.
    pub(crate) fn deadline() -> Self {
        Self {
            disposition: Disposition::Faulted,
            timed_out: true,
            unended: None,
            what: What::Deadline,
        }
    }

    /// As many calls as the API may have ran for all of the timeout. This one did not begin.
    pub(crate) fn no_turn() -> Self {
        Self {
            disposition: Disposition::NotRun,
            timed_out: false,
            unended: None,
            what: What::NoTurn,
        }
    }

    /// The response is larger than a function may return.
    pub(crate) fn too_large() -> Self {
        Self {
            disposition: Disposition::Ran,
            timed_out: false,
            unended: None,
            what: What::TooLarge,
        }
    }

    /// The same error, with the call if its function may still run.
    pub(super) fn of_call(self, call: impl FnOnce() -> UnendedCall) -> Self {
        let unended = self.may_still_run().then(call);
        Self { unended, ..self }
    }

    /// Whether the function may still run, so that its cleanup has to wait.
    ///
    /// Only a status of the function itself says that it has ended, and only a connection that was
    /// never made says that it never began. Everything else says something of the way to it: the
    /// request was sent and the connection broke, or the response broke off, or a proxy gave up.
    /// The function hears nothing of this and goes on.
    pub(super) fn may_still_run(&self) -> bool {
        match &self.what {
            What::Deadline => true,
            What::Status(status) => is_status_of_proxy(*status),
            What::Transport(_) | What::NoAnswer(_) => self.disposition != Disposition::NotRun,
            // It was read to its end.
            What::TooLarge | What::NoTurn => false,
        }
    }

    /// Whether the function refused the event because of its size.
    pub(crate) fn is_event_too_large(&self) -> bool {
        matches!(self.what, What::Status(status)
            if status == InvocationFault::EventTooLarge.status())
    }
}

/// Whether a batch with this status may have been taken by the runner all the same. The runner
/// itself refuses a batch with 4xx or 503, before any function runs.
fn is_of_proxy(status: StatusCode) -> bool {
    status != StatusCode::SERVICE_UNAVAILABLE && status.is_server_error()
        || is_status_of_proxy(status.as_u16())
}

/// Whether this is the status of a proxy that got no answer in time, or one that it could not read:
/// 408, 502, 504, and 520 to 527 of a well-known one. No function of the runner has such a status.
fn is_status_of_proxy(status: u16) -> bool {
    matches!(status, 408 | 502 | 504 | 520..=527)
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Status(status) => write!(f, "function answered {status}"),
            What::Transport(_) | What::NoAnswer(_) => f.write_str("function did not answer"),
            What::Deadline => f.write_str("function did not answer in time"),
            What::TooLarge => f.write_str("function answered too much"),
            What::NoTurn => f.write_str(
                "transmit_concurrency calls of the api were running for all of its timeout",
            ),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.what {
            What::Transport(error) => Some(error),
            What::NoAnswer(error) => Some(error),
            What::Status(_) | What::Deadline | What::NoTurn | What::TooLarge => None,
        }
    }
}
