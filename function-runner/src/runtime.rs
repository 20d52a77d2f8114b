//! What runs the code of a function. The seam: another runtime is another variant.
//!
//! A runtime first leases an instance, which may take waiting or starting, then gives it one
//! event and returns one reply, or says why not. It keeps the deadline, since it alone knows when
//! the function began; dropping the future of [`Instance::invoke`] gives the event up. Log lines
//! and all other limits are the invocation's.

pub(crate) mod rust;
pub(crate) mod subprocess;

use std::path::Path;

use bytes::Bytes;
use functions::Context;

use self::{
    rust::{RustInstance, RustRuntime},
    subprocess::{Lease, Limits, SubprocessRuntime, program::Program},
};
use crate::invocation::{Ended, Fault, Lines, RecentLines};

/// What the settings say of a runtime. It lacks the lines of its function, which outlive it.
#[derive(Debug)]
pub(crate) enum RuntimeSettings {
    Rust(RustRuntime),
    Subprocess(Box<Program>, Limits),
}

impl RuntimeSettings {
    /// The folder of the code, as the settings name it.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Rust(_) => None,
            Self::Subprocess(program, _) => Some(&program.folder),
        }
    }
}

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
    /// Nothing runs yet. What runs without an invocation writes to `lines`.
    pub(crate) fn new(settings: RuntimeSettings, lines: RecentLines) -> Self {
        match settings {
            RuntimeSettings::Rust(rust) => Self::Rust(rust),
            RuntimeSettings::Subprocess(program, limits) => {
                Self::Subprocess(SubprocessRuntime::new(*program, limits, lines))
            }
        }
    }

    /// The word for it in the settings.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Rust(_) => "rust",
            Self::Subprocess(subprocess) => subprocess.kind(),
        }
    }

    /// What it calls, as the settings say it.
    pub(crate) fn handler(&self) -> &str {
        match self {
            Self::Rust(rust) => rust.handler(),
            Self::Subprocess(subprocess) => subprocess.handler(),
        }
    }

    /// How many instances are not free.
    pub(crate) fn running(&self) -> usize {
        match self {
            Self::Rust(rust) => rust.running(),
            Self::Subprocess(subprocess) => subprocess.running(),
        }
    }

    /// Whether `settings` say the same as those that it was made of.
    pub(crate) fn is_of(&self, settings: &RuntimeSettings) -> bool {
        match (self, settings) {
            (Self::Rust(rust), RuntimeSettings::Rust(other)) => rust.is_like(other),
            (Self::Subprocess(subprocess), RuntimeSettings::Subprocess(program, limits)) => {
                subprocess.is_of(program, limits)
            }
            (Self::Rust(_), RuntimeSettings::Subprocess(..))
            | (Self::Subprocess(_), RuntimeSettings::Rust(_)) => false,
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

    /// Does what is to be done before the first invocation.
    pub(crate) fn start(&self) {
        match self {
            Self::Rust(_) => {}
            Self::Subprocess(subprocess) => subprocess.start(),
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
