//! The parameters in the query of a URL.

use std::collections::HashSet;

use super::percent::decode;
use crate::refusal::Refusal;

/// The parameters, decoded, in their order. Each name is there once, in whatever case: a signature
/// has the names in lower case, so of two spellings one would be signed and the other be used.
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
        let pairs = parsed.collect::<Result<Vec<(String, String)>, Refusal>>()?;
        let mut names = HashSet::new();
        match pairs.iter().find(|(name, _)| !names.insert(name.to_ascii_lowercase())) {
            Some((name, _)) => {
                Err(Refusal::argument(format!("The parameter {name} is there more than once.")))
            }
            None => Ok(Self(pairs)),
        }
    }

    /// The value of the parameter with this name, in whatever case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.pairs();
        pairs.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All names and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
