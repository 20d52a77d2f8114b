//! How an invocation ended: for the runtime that ran it, and for its caller.

use std::time::Duration;

use super::fault::Fault;

/// How an invocation ended.
#[derive(Debug)]
pub(crate) struct InstanceReport {
    /// The reply, which is JSON.
    pub(crate) outcome: Result<String, Fault>,
    /// The most that the instance has ever had in memory, in bytes, where that can be known.
    pub(crate) memory_peak: Option<u64>,
}

impl From<Result<String, Fault>> for InstanceReport {
    fn from(outcome: Result<String, Fault>) -> Self {
        Self { outcome, memory_peak: None }
    }
}

impl From<Fault> for InstanceReport {
    fn from(fault: Fault) -> Self {
        Err(fault).into()
    }
}

/// What came of an invocation.
#[derive(Debug)]
pub(crate) struct InvocationReport {
    /// The reply, which is JSON.
    pub(crate) outcome: Result<String, Fault>,
    /// How long the function ran.
    pub(crate) duration: Duration,
    /// The most that the instance has ever had in memory, in bytes, where that can be known.
    pub(crate) memory_peak: Option<u64>,
}

impl From<Fault> for InvocationReport {
    fn from(fault: Fault) -> Self {
        Self { outcome: Err(fault), duration: Duration::ZERO, memory_peak: None }
    }
}
