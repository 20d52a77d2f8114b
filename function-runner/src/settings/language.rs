//! The languages of functions in child processes.

use strum::VariantArray;

/// What a function is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub(crate) enum Language {
    Python3,
    Nodejs,
    /// A program of the user's own, which fetches its events itself.
    Custom,
}

impl Language {
    /// The word for it in the settings.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Python3 => "python3",
            Self::Nodejs => "nodejs",
            Self::Custom => "custom",
        }
    }
}
