//! What a function in Rust is: started once from its environment, then called with events.
//!
//! Deadlines, concurrency and log lines are the runner's, not here.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{environment::Environment, start_error::StartError};

/// The future of one invocation.
pub type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;

/// Says whether the environment of a function is good. Starts nothing and changes nothing.
pub type Check = fn(&Environment) -> Result<(), StartError>;

/// Starts a function from its environment, once.
///
/// It checks the environment and builds clients, but connects to nothing: a roster that cannot be
/// reached is the failure of an invocation, and the next one may succeed.
pub type Start = fn(&Environment) -> Result<Arc<dyn Function>, StartError>;

/// One function, started: called concurrently, shared between invocations.
///
/// The future may be dropped before its end, when the invocation has run out of time.
pub trait Function: Send + Sync + 'static {
    /// Handles one event.
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>>;
}

/// What a function may know of its invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Names this invocation in the logs.
    pub request_id: String,
    /// The name that the function is configured under.
    pub function_name: String,
    /// What it may use, in megabytes.
    pub memory_limit_mb: u32,
    /// How long this invocation may run.
    pub time_limit: Duration,
    /// W3C Trace Context as it came in.
    pub traceparent: Option<String>,
}

/// Why an invocation has no result.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The event is not what the function takes: the caller's fault (400).
    #[error("event is not what this function takes: {0}")]
    BadEvent(String),
    /// The function failed on it (430).
    #[error("function raised")]
    Raised(#[from] Box<dyn Error + Send + Sync>),
}

impl FunctionError {
    /// The event is not what the function takes; `problem` says how.
    pub fn bad_event(problem: impl fmt::Display) -> Self {
        Self::BadEvent(problem.to_string())
    }

    /// The function failed; takes errors and plain text.
    pub fn raised(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Raised(cause.into())
    }
}
