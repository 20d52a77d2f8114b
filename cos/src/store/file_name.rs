//! The name of a content.

use uuid::Uuid;

/// The name of a file: 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FileName(String);

impl FileName {
    pub(super) fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    pub(super) fn of(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first two digits.
    pub(super) fn first(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }
}
