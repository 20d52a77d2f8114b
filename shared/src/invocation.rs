//! The invocation of a function over HTTP: its outcome as a status, and the error object.
//!
//! `POST http://<function-runner>/functions/<name>/invocations` with the event as the body. Any
//! HTTP service that answers this way can stand in place of the runner.

use serde::{Deserialize, Serialize};

/// Names the invocation, in the request and in the answer (documented).
pub const REQUEST_ID_HEADER: &str = "x-scf-request-id";
/// W3C Trace Context, passed on as it came.
pub const TRACEPARENT_HEADER: &str = "traceparent";
/// Says which attempt of a cleanup a call is, counted from 1. Absent from other calls.
pub const ATTEMPT_HEADER: &str = "x-longhold-attempt";

/// Why an invocation has no result. The numbers are SCF's (documented), but for 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvocationFault {
    /// The event is not what the function takes.
    BadEvent,
    /// The event is too large.
    EventTooLarge,
    /// The function ran and returned too much.
    ReplyTooLarge,
    /// Too many invocations at once in the whole runner.
    TooManyRequests,
    /// Too many invocations of this function at once.
    ConcurrencyExceeded,
    /// The function raised.
    Raised,
    /// The function ran longer than its timeout.
    TimedOut,
    /// The function took more memory than it may.
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

/// What a failed invocation means for the event that it carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The function had the event and failed on it: its own affair.
    Ran,
    /// The event provably did not reach the function, and will if it is sent again.
    NotRun,
    /// The event did not reach the function, or nobody knows: sending it again does not help.
    Faulted,
}

impl InvocationFault {
    const ALL: [Self; 14] = [
        Self::BadEvent,
        Self::EventTooLarge,
        Self::ReplyTooLarge,
        Self::TooManyRequests,
        Self::ConcurrencyExceeded,
        Self::Raised,
        Self::TimedOut,
        Self::OutOfMemory,
        Self::NoSuchFunction,
        Self::HandlerMissing,
        Self::ProcessExited,
        Self::LoadFailed,
        Self::StartTimedOut,
        Self::Draining,
    ];

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

    /// The fault that `status` stands for; none for 200 and for statuses that are not SCF's.
    pub fn from_status(status: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.status() == status)
    }

    /// What it means for the event.
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

/// The body of every answer but 200 (documented shape).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorObject {
    /// Always -1.
    pub error_code: i32,
    /// What went wrong, in words.
    pub error_message: String,
    /// Names the invocation in the logs.
    pub request_id: String,
    /// The function's own trace; empty where it has none.
    pub stack_trace: String,
    /// The same as the HTTP status.
    pub status_code: u16,
}
