//! The measures. Each can be run against any target.

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
    target::{Target, running::Scenario},
};

/// A measure, with its settings.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Load {
    /// Echo, closed-loop: each connection sends again when it has received an echo
    Echo(echo::Settings),
    /// Clients that connect and close: handshake, register, Close, cleanup
    Connect(connect::Settings),
    /// Latency of the echo, open-loop: at a fixed rate, counted from when each message was due
    Latency(latency::Settings),
    /// One message in, sent out to many connections
    FanOut(fan_out::Settings),
    /// Echo by a function in Python, closed-loop
    Python(python::Settings),
    /// Calls of an empty function in Python: the runner alone, one caller
    Invoke(invoke::Settings),
    /// Memory per idle connection, in the process that holds the sockets
    Idle(idle::Settings),
}

impl Load {
    /// Starts the target and measures once.
    pub(crate) async fn measure(&self, target: &Target) -> anyhow::Result<Figures> {
        let running = target.start(self.scenario()).await?;
        match self {
            Self::Echo(settings) => echo::measure(settings, Scenario::Echo, target, &running).await,
            Self::Connect(settings) => connect::measure(settings, target, &running).await,
            Self::Latency(settings) => latency::measure(settings, target, &running).await,
            Self::FanOut(settings) => fan_out::measure(settings, target, &running).await,
            Self::Python(settings) => python::measure(settings, target, &running).await,
            Self::Invoke(settings) => invoke::measure(settings, target, &running).await,
            Self::Idle(settings) => idle::measure(settings, target, &running).await,
        }
    }

    /// What the clients do.
    pub(crate) fn scenario(&self) -> Scenario {
        match self {
            Self::Echo(_) | Self::Latency(_) => Scenario::Echo,
            Self::Connect(_) => Scenario::Connect,
            Self::Idle(settings) => settings.scenario(),
            Self::FanOut(_) => Scenario::FanOut,
            Self::Python(_) => Scenario::Python,
            Self::Invoke(_) => Scenario::Invoke,
        }
    }

    /// The settings of the measure, in words.
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

    /// The name of the measure on the command line.
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
