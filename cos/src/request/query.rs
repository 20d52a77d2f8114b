//! The parameters in the query of a URL.

use super::percent::decode;
use crate::refusal::Refusal;

/// The parameters, decoded, in their order. Of several with one name the first one counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part of a URL after `?`.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        // Forms, and some clients, write a space as a plus. A plus itself is always encoded.
        let decoded = |text: &str| decode(&text.replace('+', " "));
        let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let parsed = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }

    /// The value of a parameter. Names are case-sensitive.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All names and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
