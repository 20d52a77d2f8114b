//! How an invocation ended.

use std::time::Duration;

use super::fault::Fault;

/// How an invocation ended, as its instance reports it.
#[derive(Debug)]
pub(crate) struct InstanceReport {
    /// The reply, which is JSON.
    pub(crate) outcome: Result<String, Fault>,
    /// The most memory that the instance has ever had, in bytes, where that is known.
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

/// How an invocation ended, as its caller is told.
#[derive(Debug)]
pub(crate) struct InvocationReport {
    /// The reply, which is JSON.
    pub(crate) outcome: Result<String, Fault>,
    /// How long the function ran.
    pub(crate) duration: Duration,
    /// The most memory that the instance has ever had, in bytes, where that is known.
    pub(crate) memory_peak: Option<u64>,
}

impl From<Fault> for InvocationReport {
    fn from(fault: Fault) -> Self {
        Self { outcome: Err(fault), duration: Duration::ZERO, memory_peak: None }
    }
}
