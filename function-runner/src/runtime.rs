//! What runs the code of a function. The seam: another runtime is another variant.
//!
//! A runtime first leases an instance, which may take waiting or starting, then gives it one
//! event and returns one reply, or says why not. It keeps the deadline, since it alone knows when
//! the function began; dropping the future of [`Instance::invoke`] gives the event up. Log lines
//! and all other limits are the invocation's.

mod rust;
mod subprocess;

use bytes::Bytes;
use functions::{Context, StartError};

use self::{
    rust::{RustInstance, RustRuntime},
    subprocess::{Lease, SubprocessRuntime},
};
use crate::{
    invocation::{Ended, Fault, Lines, RecentLines},
    settings::{FunctionSettings, RuntimeSettings},
};

#[derive(Debug)]
pub(crate) enum Runtime {
    Rust(RustRuntime),
    Subprocess(SubprocessRuntime),
}

/// One instance of a function, taken for one invocation until dropped.
#[derive(Debug)]
pub(crate) enum Instance<'a> {
    Rust(RustInstance<'a>),
    Subprocess(Lease),
}

impl Runtime {
    /// Makes what runs `function`; a function in Rust is started. What is written without an
    /// invocation goes to `lines`.
    pub(crate) fn new(function: &FunctionSettings, lines: RecentLines) -> Result<Self, StartError> {
        Ok(match &function.runtime {
            RuntimeSettings::Rust(rust) => {
                Self::Rust(RustRuntime::start(rust, function.max_instances)?)
            }
            RuntimeSettings::Subprocess(subprocess) => {
                Self::Subprocess(SubprocessRuntime::new(function, subprocess, lines))
            }
        })
    }

    /// How many instances are not free.
    pub(crate) fn running(&self) -> usize {
        match self {
            Self::Rust(rust) => rust.running(),
            Self::Subprocess(subprocess) => subprocess.running(),
        }
    }

    /// Whether the code is no longer what instances were started from. Looks at all its files.
    pub(crate) fn code_differs(&self) -> bool {
        match self {
            Self::Rust(_) => false,
            Self::Subprocess(subprocess) => subprocess.code_differs(),
        }
    }

    /// Starts a first instance, which finds out whether the code is good.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        match self {
            Self::Rust(_) => Ok(()),
            Self::Subprocess(subprocess) => subprocess.probe().await,
        }
    }

    /// Another has taken its place, and it is left with what it has in hand.
    pub(crate) fn give_way(&self) {
        match self {
            Self::Rust(_) => {}
            Self::Subprocess(subprocess) => subprocess.give_way(),
        }
    }

    /// Starts as many instances as are to be kept without work.
    pub(crate) fn keep_warm(&self) {
        match self {
            Self::Rust(_) => {}
            Self::Subprocess(subprocess) => subprocess.keep_warm(),
        }
    }

    /// Takes an instance.
    pub(crate) async fn lease(&self, context: &Context) -> Result<Instance<'_>, Fault> {
        match self {
            Self::Rust(rust) => rust.lease().map(Instance::Rust),
            Self::Subprocess(subprocess) => {
                subprocess.lease(context).await.map(Instance::Subprocess)
            }
        }
    }

    /// Ends what still runs. Takes a bounded time.
    pub(crate) async fn stop(&self) {
        match self {
            Self::Rust(_) => {}
            Self::Subprocess(subprocess) => subprocess.stop().await,
        }
    }
}

impl Instance<'_> {
    /// Hands over `event`, which is JSON. What the function writes goes to `lines`.
    pub(crate) async fn invoke(self, event: &Bytes, context: &Context, lines: &Lines) -> Ended {
        match self {
            Self::Rust(rust) => rust.invoke(event, context).await.into(),
            Self::Subprocess(lease) => lease.invoke(event, context, lines).await,
        }
    }
}
