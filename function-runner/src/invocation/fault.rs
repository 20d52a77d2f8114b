//! Why an invocation has no reply, as the caller is told.

use std::{borrow::Cow, error::Error, fmt::Write, time::Duration};

use functions::FunctionError;
use shared::invocation::{ErrorObject, InvocationFault};

/// The longest message and the longest stack trace. As JSON they may take six times as much.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// How many bytes of a stack trace are logged.
const LOGGED_BYTES_MAX: usize = 8 << 10;

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
        Self { kind, message: cut(message.into(), TEXT_BYTES_MAX), stack_trace: String::new() }
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
        self.stack_trace = cut(stack_trace.into(), TEXT_BYTES_MAX).into_owned();
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The stack trace of the function, or nothing.
    pub(crate) fn trace(&self) -> &str {
        &self.stack_trace
    }

    /// The lines of the stack trace, for a log. None if it is one line, which the line with the
    /// error has. Of a long trace its first and its last part.
    pub(crate) fn trace_lines(&self) -> Vec<String> {
        let trace = cut(Cow::Owned(self.stack_trace.clone()), LOGGED_BYTES_MAX);
        let lines: Vec<_> = trace.lines().map(str::to_owned).collect();
        if lines.len() > 1 { lines } else { Vec::new() }
    }

    /// The function raised. The message is the documented one.
    pub(crate) fn raised(stack_trace: String) -> Self {
        let message = "user code exception caught";
        Self::new(InvocationFault::Raised, message).with_trace(stack_trace)
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

/// The text, or its first and its last part if it is too long: a trace may have its error at either
/// end.
fn cut(text: Cow<'static, str>, bytes_max: usize) -> Cow<'static, str> {
    if text.len() <= bytes_max {
        return text;
    }
    let first = &text[..text.floor_char_boundary(bytes_max / 2)];
    let rest = text.ceil_char_boundary(text.len() - bytes_max / 2);
    let left_out = rest - first.len();
    format!("{first}\n[{left_out} bytes left out]\n{}", &text[rest..]).into()
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

#[cfg(test)]
mod tests {
    use super::{Fault, TEXT_BYTES_MAX};

    #[test]
    fn a_long_trace_is_cut_in_its_middle_between_characters() {
        let short = "x".repeat(TEXT_BYTES_MAX);
        assert_eq!(Fault::raised(short.clone()).trace(), short);
        // Three bytes each, and half of the most is not a multiple of three.
        let long = format!("first {} last", "\u{4f60}".repeat(TEXT_BYTES_MAX));
        let fault = Fault::raised(long.clone());
        let (first, rest) = fault.trace().split_once("\n[").unwrap();
        let (left_out, last) = rest.split_once(" bytes left out]\n").unwrap();
        assert!(first.starts_with("first \u{4f60}") && last.ends_with("\u{4f60} last"));
        assert_eq!(first.len() + left_out.parse::<usize>().unwrap() + last.len(), long.len());
        assert!(first.len() + last.len() <= TEXT_BYTES_MAX);
    }
}
