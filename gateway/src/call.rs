//! Calling functions over HTTP: the outcome of a call, and retries of calls that did not run.
//!
//! Knows an address and a body, and does not read the body.

mod client;
mod outcome;
mod overdue;
mod retry;

pub(crate) use self::{
    client::{Call, FunctionClient},
    outcome::CallError,
    overdue::{FUNCTION_TIMEOUT_MAX, OverdueCall},
    retry::{RetryBackoff, call_until},
};
