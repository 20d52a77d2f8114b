//! Calling functions over HTTP: what came of a call, and how calls that did not run are repeated.
//!
//! Knows an address and a body, not what is in it.

mod client;
mod outcome;
mod retry;

pub(crate) use self::{
    client::{Call, Caller},
    outcome::{CallError, FUNCTION_TIMEOUT_MAX, Rest},
    retry::{Backoff, call_until},
};
