//! Runs the code of functions. Another runtime is another variant of [`Runtime`].
//!
//! An invocation first leases an instance, and may have to wait for one or for the start of one.
//! Then it gives the instance one event, and gets one reply or a fault. The runtime watches the
//! deadline, because only the runtime knows when the function began. All other limits, and the log
//! lines, belong to the invocation. An event that its instance certainly did not run can be given
//! to another one. Dropping the future of [`LeasedInstance::invoke`] gives up the event.

mod gateway_access;
mod rust;
mod subprocess;

use std::time::Duration;

use bytes::Bytes;
use daemon::{
    body::BodyMemory,
    reload::Trigger,
    settings::{Origins, Problem},
};
use functions::Context;
use tokio_util::sync::CancellationToken;

pub use self::subprocess::runtime_api_paths;
pub(crate) use self::{gateway_access::GatewayAccess, subprocess::reply_memory};
use self::{
    rust::{RustInstance, RustRuntime},
    subprocess::{Lease, NotRun, SubprocessRuntime},
};
use crate::{
    invocation::{Fault, InstanceReport, Lines, RecentLines},
    push::Pushes,
    settings::{FunctionSettings, RuntimeSettings},
};

#[derive(Debug)]
pub(crate) enum Runtime {
    Rust(RustRuntime),
    Subprocess(SubprocessRuntime),
}

/// An instance of a function, reserved for one invocation until dropped.
#[derive(Debug)]
pub(crate) enum LeasedInstance<'a> {
    Rust(RustInstance<'a>),
    Subprocess(Lease),
}

impl Runtime {
    /// The runtime of `function`. A function in Rust is started. Output of instances that have no
    /// invocation goes to `lines`. Replies of child processes are read within `replies`. Pushes
    /// have `gateway`. `origins` are those of the settings.
    pub(crate) fn new(
        function: &FunctionSettings,
        lines: RecentLines,
        replies: &BodyMemory,
        gateway: &GatewayAccess,
        origins: &Origins,
    ) -> Result<Self, Problem> {
        let GatewayAccess { authorization, transport, cloud } = gateway;
        let credential = function.push_credential(authorization.clone());
        Ok(match &function.runtime {
            RuntimeSettings::Rust(rust) => {
                let environment = rust.environment.clone().with_push_credential(credential);
                let environment = environment.with_push_transport(transport.clone());
                let started = RustRuntime::start(rust, &environment, function.max_instances);
                Self::Rust(started.map_err(|error| function.start_problem(&error, origins))?)
            }
            RuntimeSettings::Subprocess(subprocess) => {
                let pushes = Pushes::new(function, &credential, transport, lines.clone());
                let pushes = pushes.map_err(|error| function.client_problem(&error, origins))?;
                let replies = replies.clone();
                Self::Subprocess(SubprocessRuntime::new(
                    function, subprocess, lines, replies, pushes, cloud,
                ))
            }
        })
    }

    /// How many instances are busy.
    pub(crate) fn running(&self) -> usize {
        match self {
            Self::Rust(rust) => rust.running(),
            Self::Subprocess(subprocess) => subprocess.running(),
        }
    }

    /// How many processes the function may have.
    pub(crate) fn processes_max(&self) -> usize {
        match self {
            Self::Rust(_) => 0,
            Self::Subprocess(subprocess) => subprocess.processes_max(),
        }
    }

    /// Whether the code is no longer what instances were started from. Looks at all its files, and
    /// at SIGHUP at data behind its links too.
    pub(crate) fn code_differs(&self, trigger: Trigger) -> bool {
        match self {
            Self::Rust(_) => false,
            Self::Subprocess(subprocess) => subprocess.code_differs(trigger),
        }
    }

    /// Starts an instance, to find out whether the code starts.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        match self {
            Self::Rust(_) => Ok(()),
            Self::Subprocess(subprocess) => subprocess.probe().await,
        }
    }

    /// A new function has replaced this one, and only the running invocations are left.
    pub(crate) fn retire(&self) {
        match self {
            Self::Rust(_) => {}
            Self::Subprocess(subprocess) => subprocess.retire(),
        }
    }

    /// Starts as many instances as are to be kept without work.
    pub(crate) fn keep_warm(&self) {
        match self {
            Self::Rust(_) => {}
            Self::Subprocess(subprocess) => subprocess.keep_warm(),
        }
    }

    /// How long an event may take once an instance is reserved for it, if the function may run for
    /// `time_limit`.
    pub(crate) fn longest(&self, time_limit: Duration) -> Duration {
        match self {
            Self::Rust(_) => time_limit,
            Self::Subprocess(_) => Lease::longest(time_limit),
        }
    }

    /// Reserves an instance.
    pub(crate) async fn lease(&self, context: &Context) -> Result<LeasedInstance<'_>, Fault> {
        match self {
            Self::Rust(rust) => rust.lease().map(LeasedInstance::Rust),
            Self::Subprocess(subprocess) => {
                subprocess.lease(context).await.map(LeasedInstance::Subprocess)
            }
        }
    }

    /// Ends all instances. Takes a bounded time.
    pub(crate) async fn stop(&self) {
        match self {
            Self::Rust(_) => {}
            Self::Subprocess(subprocess) => subprocess.stop().await,
        }
    }
}

impl LeasedInstance<'_> {
    /// Hands over `event`, which is JSON. The output of the function goes to `lines`. Ends soon
    /// after `cut`, when the runner cannot wait any longer.
    pub(crate) async fn invoke(
        self,
        event: &Bytes,
        context: &Context,
        lines: &Lines,
        cut: &CancellationToken,
    ) -> Result<InstanceReport, NotRun> {
        match self {
            Self::Rust(rust) => Ok(rust.invoke(event, context, cut).await.into()),
            Self::Subprocess(lease) => lease.invoke(event, context, lines, cut).await,
        }
    }
}
