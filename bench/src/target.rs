//! The targets of a load: Longhold, the floor, and the peers.

pub(crate) mod floor;
pub(crate) mod longhold;
pub(crate) mod nchan;
pub(crate) mod pushpin;
pub(crate) mod running;

use std::{
    fmt,
    net::{SocketAddr, TcpListener},
    ops::Range,
    str::FromStr,
};

use anyhow::{Context, bail};

use self::{
    longhold::Build,
    running::{RunningTarget, Scenario},
};
use crate::process::is_installed;

/// The ports of servers. Linux gives clients those from 32 768 on (`ip_local_port_range`).
const PORTS: Range<u16> = 20_000..32_768;
/// How many of them are tried.
const PORT_TRIALS: usize = 100;

/// A target, as `--targets` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// `longhold`, `longhold@DIR`, `longhold+journal=off`: gateway and function-runner, with
    /// functions in Rust.
    Longhold(Build),
    /// `floor`: the same hops with the same libraries, and nothing else.
    Floor,
    /// `bare`: a WebSocket server that echoes by itself.
    Bare,
    /// `nchan`: nginx with nchan, and a backend that is a role of the binary `floor`.
    Nchan,
    /// `pushpin`: Pushpin, and a backend that is a role of the binary `floor`.
    Pushpin,
}

impl Target {
    /// Starts the processes of the target. They end when the returned value is dropped.
    pub(crate) async fn start(&self, scenario: Scenario) -> anyhow::Result<RunningTarget> {
        let started = match self {
            Self::Longhold(build) => build.start(scenario).await,
            Self::Floor => floor::start().await,
            Self::Bare => floor::start_bare().await,
            Self::Nchan => nchan::start().await,
            Self::Pushpin => pushpin::start().await,
        };
        started.with_context(|| format!("could not start {self}"))
    }

    /// The reason why this target cannot be measured on this machine. None if it can.
    pub(crate) fn missing(&self, scenario: Scenario) -> Option<&'static str> {
        if matches!(scenario, Scenario::Python | Scenario::Invoke) {
            return match self {
                Self::Longhold(_) if is_installed("python3") => None,
                Self::Longhold(_) => Some("apt-get install --no-install-recommends python3"),
                Self::Floor | Self::Bare | Self::Nchan | Self::Pushpin => {
                    Some("this target has no functions in Python")
                }
            };
        }
        match self {
            Self::Longhold(_) | Self::Floor | Self::Bare => None,
            Self::Nchan => nchan::missing(),
            Self::Pushpin => pushpin::missing(),
        }
    }

    /// Whether the target guarantees that no message is lost and that the messages of a connection
    /// stay in order.
    pub(crate) fn promises_order(&self) -> bool {
        !matches!(self, Self::Nchan | Self::Pushpin)
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "floor" => Self::Floor,
            "bare" => Self::Bare,
            "nchan" => Self::Nchan,
            "pushpin" => Self::Pushpin,
            _ => match text.strip_prefix("longhold") {
                Some(build) => Self::Longhold(build.parse()?),
                None => bail!(
                    "use longhold, longhold@DIR, longhold+journal=off, longhold+features=off, \
                     floor, bare, nchan or pushpin"
                ),
            },
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Longhold(build) => write!(f, "longhold{build}"),
            Self::Floor => f.write_str("floor"),
            Self::Bare => f.write_str("bare"),
            Self::Nchan => f.write_str("nchan"),
            Self::Pushpin => f.write_str("pushpin"),
        }
    }
}

/// A free address, for processes that must know each other's address before they start. Its port is
/// none that the system gives to a client, since the clients of a load take thousands of them.
fn free_address() -> anyhow::Result<SocketAddr> {
    let ports = (0..PORT_TRIALS).map(|_| fastrand::u16(PORTS));
    let listener = ports.map(|port| TcpListener::bind(("127.0.0.1", port))).find_map(Result::ok);
    Ok(listener.context("no free port on 127.0.0.1")?.local_addr()?)
}
