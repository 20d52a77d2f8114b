//! The limits of a function and of its instances.

use std::time::Duration;

use crate::settings::{FunctionSettings, SubprocessSettings};

/// The limits of a function and of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) function_name: String,
    pub(super) timeout: Duration,
    pub(super) memory_mb: u32,
    /// For the files in the private folders of an instance.
    pub(super) tmp_mb: u32,
    pub(super) max_instances: usize,
    pub(super) min_instances: usize,
    pub(super) idle_after: Duration,
    pub(super) init_timeout: Duration,
}

impl Limits {
    pub(super) fn new(function: &FunctionSettings, subprocess: &SubprocessSettings) -> Self {
        Self {
            function_name: function.name.clone(),
            timeout: function.timeout,
            memory_mb: function.memory_mb,
            tmp_mb: subprocess.tmp_mb,
            max_instances: function.max_instances,
            min_instances: subprocess.min_instances,
            idle_after: subprocess.idle_after,
            init_timeout: subprocess.init_timeout,
        }
    }
}
