//! Why a function cannot start with the environment that it is given.

use std::error::Error;

/// A function cannot start with the environment that it is given. Names the key, says what is wrong
/// with its value and what would be right, and never shows the value, which may be a secret.
#[derive(Debug, thiserror::Error)]
#[error("environment key {key} {problem}")]
pub struct StartError {
    key: String,
    problem: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl StartError {
    /// `problem` continues a sentence that begins with the key.
    pub fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into(), cause: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The key whose value is wrong.
    pub fn key(&self) -> &str {
        &self.key
    }
}
