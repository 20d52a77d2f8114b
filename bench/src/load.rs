//! What is measured, against any target.

pub(crate) mod connect;
pub(crate) mod echo;
pub(crate) mod fan_out;
pub(crate) mod idle;
pub(crate) mod invoke;
pub(crate) mod latency;
pub(crate) mod python;
mod schedule;

use clap::Subcommand;

use crate::{
    figures::Figures,
    target::{Target, running::Scene},
};

/// A measure, with its settings.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Load {
    /// Echo, closed-loop: each connection sends again when it has an answer
    Echo(echo::Settings),
    /// Connections that come and go: handshake, register, Close, cleanup
    Connect(connect::Settings),
    /// Latency of the echo, open-loop: at a fixed rate, from when each message was due
    Latency(latency::Settings),
    /// One message in, and out to many connections
    FanOut(fan_out::Settings),
    /// Echo by a function in Python, closed-loop
    Python(python::Settings),
    /// What it costs to call an empty function in Python: the runner alone, one caller
    Invoke(invoke::Settings),
    /// Memory of the process that holds the sockets per connection that is open and quiet
    Idle(idle::Settings),
}

impl Load {
    /// Starts the target, and measures once.
    pub(crate) async fn measure(&self, target: &Target) -> anyhow::Result<Figures> {
        let running = target.start(self.scene()).await?;
        match self {
            Self::Echo(settings) => echo::measure(settings, Scene::Echo, target, &running).await,
            Self::Connect(settings) => connect::measure(settings, target, &running).await,
            Self::Latency(settings) => latency::measure(settings, target, &running).await,
            Self::FanOut(settings) => fan_out::measure(settings, target, &running).await,
            Self::Python(settings) => python::measure(settings, target, &running).await,
            Self::Invoke(settings) => invoke::measure(settings, target, &running).await,
            Self::Idle(settings) => idle::measure(settings, target, &running).await,
        }
    }

    /// What the clients do.
    pub(crate) fn scene(&self) -> Scene {
        match self {
            Self::Echo(_) | Self::Latency(_) => Scene::Echo,
            Self::Connect(_) => Scene::Visit,
            Self::Idle(settings) => settings.scene(),
            Self::FanOut(_) => Scene::FanOut,
            Self::Python(_) => Scene::Python,
            Self::Invoke(_) => Scene::Invoke,
        }
    }

    /// What it is, with the settings that matter.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Echo(settings) => settings.describe(),
            Self::Connect(settings) => settings.describe(),
            Self::Latency(settings) => settings.describe(),
            Self::FanOut(settings) => settings.describe(),
            Self::Python(settings) => settings.describe(),
            Self::Invoke(settings) => settings.describe(),
            Self::Idle(settings) => settings.describe(),
        }
    }

    /// Its word on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Echo(_) => "echo",
            Self::Connect(_) => "connect",
            Self::Latency(_) => "latency",
            Self::FanOut(_) => "fan-out",
            Self::Python(_) => "python",
            Self::Invoke(_) => "invoke",
            Self::Idle(_) => "idle",
        }
    }

    /// The figures that targets are compared by.
    pub(crate) fn compared(&self) -> &'static [&'static str] {
        match self {
            Self::Echo(_) | Self::Python(_) => &["messages_per_s"],
            Self::Connect(_) => &["connections_per_s"],
            Self::Latency(_) | Self::Invoke(_) => &["p50_us", "p99_us"],
            Self::FanOut(_) => &["deliveries_per_s"],
            Self::Idle(_) => &["bytes_each"],
        }
    }
}
