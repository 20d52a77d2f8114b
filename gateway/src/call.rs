//! Calling functions over HTTP: the outcome of a call, and retries of calls that did not run.
//!
//! Knows an address and a body, and does not read the body.

mod client;
mod outcome;
mod retry;
mod run_time;
mod runner;
mod unended;

pub(crate) use self::{
    client::{Call, FunctionClient},
    outcome::CallError,
    retry::{RetryBackoff, call_until},
    unended::{LateAnswer, UnendedCall},
};
