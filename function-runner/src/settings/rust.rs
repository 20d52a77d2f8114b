//! A function with `runtime = "rust"`: the function that its handler names, and its environment.

use std::{error::Error, fmt::Write};

use daemon::settings::{Kind, Section, text};
use functions::{Catalog, Environment, Starter};

use super::subprocess::SubprocessKeys;

/// A function in Rust.
#[derive(Debug, Clone)]
pub(crate) struct RustSettings {
    /// `handler`: the name of the function in the catalog.
    pub(crate) handler: String,
    /// What starts the function.
    pub(crate) starter: Starter,
    /// `environment`.
    pub(crate) environment: Environment,
}

impl RustSettings {
    /// Takes `handler`, and checks `environment`. `None` when something is wrong, which is noted.
    pub(super) fn read(
        section: &mut Section,
        environment: Option<Environment>,
        catalog: &Catalog,
    ) -> Option<Self> {
        for key in SubprocessKeys::NAMES {
            if section.read(key, &Kind::new("anything", |_| Some(()))).is_some() {
                section.problem(key, "has no use with runtime \"rust\"; remove it");
            }
        }
        let handler = section.require("handler", &text())?;
        let Some(starter) = catalog.get(&handler) else {
            let names: Vec<_> = catalog.names().map(|name| format!("{name:?}")).collect();
            let what = format!("no function is called {handler:?}; use {}", names.join(" or "));
            section.problem("handler", what);
            return None;
        };
        let environment = environment?;
        match starter.check(&environment) {
            Ok(()) => Some(Self { handler, starter, environment }),
            Err(error) => {
                section.problem(&format!("environment.{}", error.key()), with_causes(&error));
                None
            }
        }
    }
}

/// A handler always names the same function.
impl PartialEq for RustSettings {
    fn eq(&self, other: &Self) -> bool {
        (&self.handler, &self.environment) == (&other.handler, &other.environment)
    }
}

/// The error and its causes, in one line.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
