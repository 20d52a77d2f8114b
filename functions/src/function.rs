//! A function in Rust: it is started once from its environment, then called with events.
//!
//! The runner watches deadlines and concurrency, and writes log lines.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{environment::Environment, start_error::StartError};

/// The future of one invocation.
pub type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;

/// Says whether the environment of a function is good. Starts nothing and changes nothing.
pub type Check = fn(&Environment) -> Result<(), StartError>;

/// Starts a function from its environment, once.
///
/// It reads the environment and builds clients, but connects to nothing. If a roster cannot be
/// reached, an invocation fails, and the next one may succeed.
pub type Start = fn(&Environment) -> Result<Arc<dyn Function>, StartError>;

/// A function that is started. All its invocations share it and call it at the same time.
///
/// The future is dropped before its end if the invocation takes longer than its timeout.
pub trait Function: Send + Sync + 'static {
    /// Handles one event.
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>>;
}

/// What a function knows of its invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The id of this invocation in logs.
    pub request_id: String,
    /// The name of the function in the settings.
    pub function_name: String,
    /// The memory that the function may use, in megabytes.
    pub memory_limit_mb: u32,
    /// How long this invocation may run.
    pub time_limit: Duration,
    /// The W3C trace context of the caller, unchanged.
    pub traceparent: Option<String>,
}

/// Why an invocation has no result.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The function does not take such an event: a fault of the caller (400).
    #[error("event is not what this function takes: {0}")]
    BadEvent(String),
    /// The function failed (430).
    #[error("function raised")]
    Raised(#[from] Box<dyn Error + Send + Sync>),
}

impl FunctionError {
    /// The function does not take such an event. `problem` says why.
    pub fn bad_event(problem: impl fmt::Display) -> Self {
        Self::BadEvent(problem.to_string())
    }

    /// The function failed. `cause` is an error or a text.
    pub fn raised(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Raised(cause.into())
    }
}
