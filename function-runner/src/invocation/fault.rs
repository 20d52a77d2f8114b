//! Why an invocation has no reply, as the caller is told.

use std::{borrow::Cow, error::Error, fmt::Write, time::Duration};

use functions::FunctionError;
use shared::invocation::{ErrorObject, InvocationFault};

/// Why an invocation has no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The documented fault.
    pub(crate) kind: InvocationFault,
    message: Cow<'static, str>,
    stack_trace: String,
}

impl Fault {
    /// `message` is for the caller.
    pub(crate) fn new(kind: InvocationFault, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), stack_trace: String::new() }
    }

    /// The function ran longer than `limit`.
    pub(crate) fn timed_out(limit: Duration) -> Self {
        let seconds = limit.as_secs_f64();
        let message = format!("Invoking task timed out after {seconds} seconds");
        Self::new(InvocationFault::TimedOut, message)
    }

    /// The runner shuts down. The function did not get the event.
    pub(crate) fn draining() -> Self {
        Self::new(InvocationFault::Draining, "runner is shutting down")
    }

    /// The runner shuts down, and the function had the event. Not 503, which says that the function
    /// did not run.
    pub(crate) fn cut_off() -> Self {
        let message = "runner shut down before the function had ended";
        Self::new(InvocationFault::ProcessExited, message)
    }

    /// The function panicked with the message `text`.
    pub(crate) fn panicked(text: &str) -> Self {
        Self::raised(format!("panicked: {text}"))
    }

    /// Adds the stack trace of the function.
    pub(crate) fn with_trace(mut self, stack_trace: String) -> Self {
        self.stack_trace = stack_trace;
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The stack trace of the function, or nothing.
    pub(crate) fn trace(&self) -> &str {
        &self.stack_trace
    }

    /// The function raised. The message is the documented one.
    pub(crate) fn raised(stack_trace: String) -> Self {
        let message = "user code exception caught".into();
        Self { kind: InvocationFault::Raised, message, stack_trace }
    }

    /// The body of the answer to the invocation `request_id`.
    pub(crate) fn to_error_object(&self, request_id: &str) -> ErrorObject {
        ErrorObject {
            error_code: -1,
            error_message: self.message.clone().into_owned(),
            request_id: request_id.to_owned(),
            stack_trace: self.stack_trace.clone(),
            status_code: self.kind.status(),
        }
    }
}

impl From<FunctionError> for Fault {
    fn from(error: FunctionError) -> Self {
        match error {
            FunctionError::BadEvent(problem) => Self::new(InvocationFault::BadEvent, problem),
            FunctionError::Raised(cause) => Self::raised(trace(cause.as_ref())),
        }
    }
}

/// The error and its causes, one a line.
fn trace(error: &(dyn Error + 'static)) -> String {
    let mut trace = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(trace, "\ncaused by: {error}");
        cause = error.source();
    }
    trace
}
