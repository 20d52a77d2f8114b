//! What is measured, against any target.

pub(crate) mod connect;
pub(crate) mod echo;
pub(crate) mod idle;

use clap::Subcommand;

use crate::{figures::Figures, target::Target};

/// A measure, with its settings.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Load {
    /// Echo, closed-loop: each connection sends again when it has an answer
    Echo(echo::Settings),
    /// Connections that come and go: handshake, register, Close, cleanup
    Connect(connect::Settings),
    /// Memory of the process that holds the sockets per connection that is open and quiet
    Idle(idle::Settings),
}

impl Load {
    /// Starts the target, and measures once.
    pub(crate) async fn measure(&self, target: &Target) -> anyhow::Result<Figures> {
        let running = target.start().await?;
        match self {
            Self::Echo(settings) => echo::measure(settings, target, &running).await,
            Self::Connect(settings) => connect::measure(settings, target, &running).await,
            Self::Idle(settings) => idle::measure(settings, target, &running).await,
        }
    }

    /// What it is, with the settings that matter.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Echo(settings) => settings.describe(),
            Self::Connect(settings) => settings.describe(),
            Self::Idle(settings) => settings.describe(),
        }
    }

    /// Its word on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Echo(_) => "echo",
            Self::Connect(_) => "connect",
            Self::Idle(_) => "idle",
        }
    }
}
