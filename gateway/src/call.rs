//! Calling functions over HTTP: the outcome of a call, and retries of calls that did not run.
//!
//! Knows an address and a body, and does not read the body.

mod client;
mod outcome;
mod retry;

pub(crate) use self::{
    client::{Call, Caller},
    outcome::{CallError, FUNCTION_TIMEOUT_MAX, Rest},
    retry::{Backoff, call_until},
};
