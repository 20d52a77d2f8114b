//! The invocation of a function over HTTP: the HTTP status for each outcome, and the error object.
//!
//! `POST http://<function-runner>/functions/<name>/invocations` with the event as the body. Any
//! HTTP service that answers in this way can take the place of the function-runner.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// The header with the id of the invocation, in the request and in the response (documented).
pub const REQUEST_ID_HEADER: &str = "x-scf-request-id";
/// The header `traceparent` of W3C Trace Context, passed on unchanged.
pub const TRACEPARENT_HEADER: &str = "traceparent";
/// The header with the number of the attempt to deliver a cleanup, counted from 1 (ours). Other
/// calls do not have it.
pub const ATTEMPT_HEADER: &str = "x-longhold-attempt";

/// Why an invocation has no result. The statuses are documented for SCF, except 503, which is
/// ours. `docs/functions.md` has the table under "Statuses, and what each means".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum InvocationFault {
    /// The event is not one that the function accepts.
    BadEvent,
    /// The event is larger than 6 MiB.
    EventTooLarge,
    /// The function ran, and its reply is larger than 6 MiB.
    ReplyTooLarge,
    /// Too many invocations at once in the whole runner.
    TooManyRequests,
    /// Too many invocations of this function at once.
    ConcurrencyExceeded,
    /// The function raised.
    Raised,
    /// The function ran longer than its timeout.
    TimedOut,
    /// The function used more memory than its limit.
    OutOfMemory,
    /// There is no function of this name.
    NoSuchFunction,
    /// The function has no such handler.
    HandlerMissing,
    /// The process exited while the function ran.
    ProcessExited,
    /// The user's code could not be loaded.
    LoadFailed,
    /// Start-up took too long.
    StartTimedOut,
    /// The runner is shutting down.
    Draining,
}

/// What a failed invocation means for its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The function received the event and failed. The event is not sent again.
    Ran,
    /// The event did not reach the function, for a reason that passes. The event is sent again.
    NotRun,
    /// The event did not reach the function, for a reason that does not pass; or it is not known
    /// whether the event reached the function. The event is not sent again.
    Faulted,
}

impl InvocationFault {
    /// All faults.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The HTTP status, and the `statusCode` of the error object.
    pub fn status(self) -> u16 {
        match self {
            Self::BadEvent => 400,
            Self::EventTooLarge => 406,
            Self::ReplyTooLarge => 407,
            Self::TooManyRequests => 429,
            Self::Raised => 430,
            Self::ConcurrencyExceeded => 432,
            Self::TimedOut => 433,
            Self::OutOfMemory => 434,
            Self::NoSuchFunction => 435,
            Self::HandlerMissing => 437,
            Self::ProcessExited => 439,
            Self::LoadFailed => 443,
            Self::StartTimedOut => 450,
            Self::Draining => 503,
        }
    }

    /// The fault with this HTTP status; none for 200 and for statuses that are not in the table.
    pub fn from_status(status: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.status() == status)
    }

    /// What this fault says, in words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::BadEvent => "the event is not what the function takes",
            Self::EventTooLarge => "the event is too large",
            Self::ReplyTooLarge => "the reply is too large",
            Self::TooManyRequests => "too many invocations at once in the runner",
            Self::ConcurrencyExceeded => "too many invocations of this function at once",
            Self::Raised => "the function raised or panicked",
            Self::TimedOut => "the function timed out",
            Self::OutOfMemory => "out of memory",
            Self::NoSuchFunction => "no such function",
            Self::HandlerMissing => "handler missing",
            Self::ProcessExited => {
                "the process had the event, and exited or was cut off by a shutdown"
            }
            Self::LoadFailed => "the code could not be loaded",
            Self::StartTimedOut => "start-up took too long",
            Self::Draining => "draining, did not run",
        }
    }

    /// What this fault means for the event.
    pub fn disposition(self) -> Disposition {
        match self {
            Self::ReplyTooLarge
            | Self::Raised
            | Self::TimedOut
            | Self::OutOfMemory
            | Self::ProcessExited => Disposition::Ran,
            Self::TooManyRequests | Self::ConcurrencyExceeded | Self::Draining => {
                Disposition::NotRun
            }
            Self::BadEvent
            | Self::EventTooLarge
            | Self::NoSuchFunction
            | Self::HandlerMissing
            | Self::LoadFailed
            | Self::StartTimedOut => Disposition::Faulted,
        }
    }
}

/// The body of the response to a failed invocation (documented):
/// `{"errorCode":-1,"errorMessage":"…","requestId":"…","stackTrace":"…","statusCode":430}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorObject {
    /// Always -1.
    pub error_code: i32,
    /// What went wrong, in words.
    pub error_message: String,
    /// The id of the invocation, as in [`REQUEST_ID_HEADER`].
    pub request_id: String,
    /// The stack trace of the function; empty if there is none.
    pub stack_trace: String,
    /// The HTTP status of the response.
    pub status_code: u16,
}
