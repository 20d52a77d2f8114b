//! Why a call of a function has no result, and what that means for its event.

use std::{error::Error, fmt, iter::successors};

use batch::NoAnswer;
use http::StatusCode;
use shared::invocation::{Disposition, InvocationFault};

use super::UnendedCall;

const NO_ANSWER: &str = "function did not answer";
/// The runner asks its callers for the token of services.
const UNAUTHORIZED: &str = "the runner does not know the token of this gateway; the files that \
                            access.service_file of both names must have the same token";

/// Why a call has no result.
#[derive(Debug)]
pub(crate) struct CallError {
    /// Whether the function ran.
    pub(crate) disposition: Disposition,
    /// Whether the timeout of the function or of the call passed.
    pub(crate) timed_out: bool,
    /// The call, if its function may still run.
    pub(crate) unended: Option<UnendedCall>,
    /// How many attempts were made. The error is that of the last one.
    pub(crate) attempts: u32,
    what: What,
}

#[derive(Debug)]
enum What {
    /// With what it says.
    Status(u16, &'static str),
    Transport(reqwest::Error),
    NoAnswer(NoAnswer),
    Deadline,
    NoTurn,
    TooLarge,
    Unreadable(String),
}

impl CallError {
    fn new(disposition: Disposition, what: What) -> Self {
        Self { disposition, timed_out: false, unended: None, attempts: 1, what }
    }

    /// The response of a function of the runner had a status that does not say success.
    pub(crate) fn status(status: u16) -> Self {
        let meaning = InvocationFault::from_status(status).map(InvocationFault::meaning);
        let meaning = meaning.or((status == StatusCode::UNAUTHORIZED).then_some(UNAUTHORIZED));
        Self::of_status(status, meaning.unwrap_or_else(|| name_of(status)))
    }

    /// The response of another function, which is called by its URL, had a status that does not
    /// say success.
    pub(crate) fn status_of_other(status: u16) -> Self {
        Self::of_status(status, name_of(status))
    }

    fn of_status(status: u16, meaning: &'static str) -> Self {
        let fault = InvocationFault::from_status(status);
        let disposition = fault.map_or(Disposition::Faulted, InvocationFault::disposition);
        let timed_out = fault == Some(InvocationFault::TimedOut);
        Self { timed_out, ..Self::new(disposition, What::Status(status, meaning)) }
    }

    /// There was no complete response. If no connection was made, nothing ran.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let not_run = error.is_connect();
        let disposition = if not_run { Disposition::NotRun } else { Disposition::Faulted };
        let timed_out = error.is_timeout() && !not_run;
        // A URL may hold credentials.
        Self { timed_out, ..Self::new(disposition, What::Transport(error.without_url())) }
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
        Self::new(disposition, What::NoAnswer(error))
    }

    /// The call has passed its timeout.
    pub(crate) fn deadline() -> Self {
        Self { timed_out: true, ..Self::new(Disposition::Faulted, What::Deadline) }
    }

    /// As many calls as the API may have ran for all of the timeout. This one did not begin.
    pub(crate) fn no_turn() -> Self {
        Self::new(Disposition::NotRun, What::NoTurn)
    }

    /// The response is larger than a function may return.
    pub(crate) fn too_large() -> Self {
        Self::new(Disposition::Ran, What::TooLarge)
    }

    /// The function ran, and its answer has none of the known forms. The text says why.
    pub(crate) fn unreadable(problem: String) -> Self {
        Self::new(Disposition::Ran, What::Unreadable(problem))
    }

    /// The same error, of the last of so many attempts.
    pub(super) fn after(self, attempts: u32) -> Self {
        Self { attempts, ..self }
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
            What::Status(status, _) => is_status_of_proxy(*status),
            What::Transport(_) | What::NoAnswer(_) => self.disposition != Disposition::NotRun,
            // It was read to its end.
            What::TooLarge | What::Unreadable(_) | What::NoTurn => false,
        }
    }

    /// The causes of the error, each after what it caused. None if the error says all.
    pub(crate) fn causes(&self) -> Option<String> {
        let causes = successors(self.source(), |&error| error.source());
        let causes: Vec<_> = causes.map(ToString::to_string).collect();
        (!causes.is_empty()).then(|| causes.join(": "))
    }

    /// Whether no connection to the function was made.
    pub(crate) fn is_unreachable(&self) -> bool {
        match &self.what {
            What::Transport(_) => self.disposition == Disposition::NotRun,
            What::NoAnswer(error) => matches!(error, NoAnswer::NotSent(_)),
            What::Status(..)
            | What::Deadline
            | What::NoTurn
            | What::TooLarge
            | What::Unreadable(_) => false,
        }
    }

    /// Whether the function refused the event because of its size.
    pub(crate) fn is_event_too_large(&self) -> bool {
        matches!(self.what, What::Status(status, _)
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

/// The name of a status in HTTP.
fn name_of(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or("a status that has no name")
}

/// What an exchange without a complete answer says.
fn meaning_of(error: &reqwest::Error) -> &'static str {
    let causes = successors(error.source(), |&error| error.source());
    let mut causes = causes.filter_map(|error| error.downcast_ref::<hyper::Error>());
    if causes.any(hyper::Error::is_parse) {
        "the answer of the function is not valid HTTP"
    } else if !error.is_timeout() && (error.is_body() || error.is_decode()) {
        "the answer of the function broke off"
    } else {
        NO_ANSWER
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Status(status, meaning) => write!(f, "function answered {status}: {meaning}"),
            What::Transport(error) => f.write_str(meaning_of(error)),
            What::NoAnswer(NoAnswer::Broken(Some(error))) => f.write_str(meaning_of(error)),
            What::NoAnswer(_) => f.write_str(NO_ANSWER),
            What::Deadline => f.write_str("function did not answer in time"),
            What::TooLarge => f.write_str("function answered too much"),
            What::Unreadable(problem) => f.write_str(problem),
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
            What::Status(..)
            | What::Deadline
            | What::NoTurn
            | What::TooLarge
            | What::Unreadable(_) => None,
        }
    }
}
