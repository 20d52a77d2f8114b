//! The functions that can be a `handler` of the Rust runtime, by name.

use std::collections::BTreeMap;

use crate::{cleanup, echo, function::Start, register, transmit};

/// Functions by name. A binary with functions of its own adds them with [`Catalog::with`].
#[derive(Debug, Clone)]
pub struct Catalog(BTreeMap<String, Start>);

impl Catalog {
    /// The functions of this crate: the chat and echo.
    pub fn built_in() -> Self {
        Self(BTreeMap::new())
            .with("register", register::start)
            .with("transmit", transmit::start)
            .with("cleanup", cleanup::start)
            .with("echo", echo::start)
    }

    /// Adds a function. It replaces a function of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, start: Start) -> Self {
        self.0.insert(name.into(), start);
        self
    }

    /// How to start the function of this name.
    pub fn get(&self, name: &str) -> Option<Start> {
        self.0.get(name).copied()
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
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

        let start = catalog.get("mine").unwrap();
        let error = start(&Environment::default()).err().unwrap();
        assert_eq!(error.to_string(), "environment key KEY is not good");
    }

    #[test]
    fn every_built_in_function_names_a_missing_environment_key() {
        let catalog = Catalog::built_in();
        for name in catalog.names() {
            let start = catalog.get(name).unwrap();
            let error = start(&Environment::default()).err().unwrap();
            assert!(["url", "ROSTER_URL"].contains(&error.key()), "{name}: {error}");
        }
    }
}
