//! Why a function cannot start with the environment that it is given.

use std::error::Error;

/// A function cannot start with the environment it is given. Names the key, what is wrong with
/// its value and what would be right; never the value, which may hold a secret.
#[derive(Debug, thiserror::Error)]
#[error("environment key {key} {problem}")]
pub struct StartError {
    key: String,
    problem: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl StartError {
    /// `problem` continues the sentence that begins with the key.
    pub fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into(), cause: None }
    }

    /// Adds what lies behind it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The key that has to be put right.
    pub fn key(&self) -> &str {
        &self.key
    }
}
