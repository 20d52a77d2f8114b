//! The languages whose interpreters are looked for.

use std::fmt;

use project::Runtime;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::up) enum Language {
    Python,
    Node,
}

impl Language {
    /// None for a program of the author's own.
    pub(in crate::up) fn of(runtime: Runtime) -> Option<Self> {
        match runtime {
            Runtime::Python => Some(Self::Python),
            Runtime::Node => Some(Self::Node),
            Runtime::Custom => None,
        }
    }

    /// The name that the function-runner looks for in PATH.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Python => "python3",
            Self::Node => "node",
        }
    }

    /// The oldest release that runs functions.
    pub(super) fn least(self) -> u32 {
        match self {
            Self::Python => 6,
            Self::Node => 10,
        }
    }

    /// The release that the cloud's name of a runtime means: 6 of `Python3.6`, and 12 of
    /// `Nodejs12.16`. None of `Python3`.
    pub(super) fn release_of(self, runtime: &str) -> Option<u32> {
        let lower = runtime.to_lowercase();
        let version = match self {
            Self::Python => lower.strip_prefix("python3.")?,
            Self::Node => lower.strip_prefix("nodejs")?,
        };
        version.split('.').next()?.parse().ok()
    }

    /// A release in words: `Python 3.6`, `Node 12`.
    pub(super) fn named(self, release: u32) -> String {
        match self {
            Self::Python => format!("Python 3.{release}"),
            Self::Node => format!("Node {release}"),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Python => "Python",
            Self::Node => "Node",
        })
    }
}
