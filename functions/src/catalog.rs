//! The functions that can be a `handler` of the Rust runtime, by name.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    cleanup, echo,
    environment::Environment,
    function::{Check, Function, Start},
    register,
    start_error::StartError,
    transmit,
};

/// Functions by name. A binary with functions of its own adds them with [`Catalog::with`].
#[derive(Debug, Clone)]
pub struct Catalog(BTreeMap<String, Starter>);

/// Starts one function, any number of times.
#[derive(Debug, Clone, Copy)]
pub struct Starter {
    check: Check,
    start: Start,
}

impl Catalog {
    /// The functions of this crate: the chat and echo.
    pub fn built_in() -> Self {
        Self(BTreeMap::new())
            .with_check("register", register::check, register::start)
            .with_check("transmit", transmit::check, transmit::start)
            .with_check("cleanup", cleanup::check, cleanup::start)
            .with_check("echo", echo::check, echo::start)
    }

    /// Adds a function. It replaces a function of the same name. A bad environment is found when
    /// the function is started.
    #[must_use]
    pub fn with(self, name: impl Into<String>, start: Start) -> Self {
        self.with_check(name, |_| Ok(()), start)
    }

    /// Adds a function like [`Catalog::with`]. What `check` finds wrong is reported together with
    /// all other bad settings, before any function is started.
    #[must_use]
    pub fn with_check(mut self, name: impl Into<String>, check: Check, start: Start) -> Self {
        self.0.insert(name.into(), Starter { check, start });
        self
    }

    /// What starts the function of this name.
    pub fn get(&self, name: &str) -> Option<Starter> {
        self.0.get(name).copied()
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Starter {
    /// Says whether the function can start with `environment`, as far as that shows without
    /// starting it.
    pub fn check(&self, environment: &Environment) -> Result<(), StartError> {
        (self.check)(environment)
    }

    /// Starts the function.
    pub fn start(&self, environment: &Environment) -> Result<Arc<dyn Function>, StartError> {
        (self.start)(environment)
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self::built_in()
    }
}

#[cfg(test)]
mod tests {
    use super::Catalog;
    use crate::{Environment, StartError};

    #[test]
    fn a_user_can_add_a_function_to_the_built_in_ones() {
        let catalog =
            Catalog::default().with("mine", |_| Err(StartError::new("KEY", "is not good")));
        let names: Vec<_> = catalog.names().collect();
        assert_eq!(names, ["cleanup", "echo", "mine", "register", "transmit"]);
        assert!(catalog.get("unknown").is_none());

        let mine = catalog.get("mine").unwrap();
        mine.check(&Environment::default()).unwrap();
        let error = mine.start(&Environment::default()).err().unwrap();
        assert_eq!(error.to_string(), "environment key KEY is not good");
    }

    #[test]
    fn every_built_in_function_names_a_missing_environment_key() {
        let catalog = Catalog::built_in();
        for name in catalog.names() {
            let starter = catalog.get(name).unwrap();
            let started = starter.start(&Environment::default()).map(drop);
            for error in [starter.check(&Environment::default()), started].map(Result::unwrap_err) {
                assert!(["url", "ROSTER_URL"].contains(&error.key()), "{name}: {error}");
            }
        }
    }
}
