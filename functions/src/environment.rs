//! The environment of one function: only what its settings say. The environment of the process is
//! not part of it. Beside its keys the runner gives the credential and the transport of pushes.

use std::{collections::BTreeMap, fmt};

use crate::{
    push_credential::PushCredential, push_transport::PushTransport, start_error::StartError,
};

/// Values by key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    values: BTreeMap<String, String>,
    /// No key shows it.
    push_credential: PushCredential,
    push_transport: PushTransport,
}

impl Environment {
    /// The value of `key`. An empty value counts as absent: a variable that is not set arrives as
    /// an empty value.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All keys and values for the environment of a process, empty values too.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The same environment of a function that pushes with `credential`.
    #[must_use]
    pub fn with_push_credential(self, credential: PushCredential) -> Self {
        Self { push_credential: credential, ..self }
    }

    /// The same environment of a function that pushes over `transport`.
    #[must_use]
    pub fn with_push_transport(self, transport: PushTransport) -> Self {
        Self { push_transport: transport, ..self }
    }

    /// How pushes of the function reach the gateway.
    pub(crate) fn push_transport(&self) -> &PushTransport {
        &self.push_transport
    }

    /// What pushes of the function present to the gateway.
    pub(crate) fn push_credential(&self) -> &PushCredential {
        &self.push_credential
    }

    /// The value of a key that must be set.
    pub fn require(&self, key: &str) -> Result<&str, StartError> {
        self.get(key).ok_or_else(|| {
            StartError::new(key, "is missing: set it in the environment of the function")
        })
    }
}

impl From<BTreeMap<String, String>> for Environment {
    fn from(values: BTreeMap<String, String>) -> Self {
        Self { values, ..Self::default() }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(values: [(&str, &str); N]) -> Self {
        BTreeMap::from(values.map(|(key, value)| (key.to_owned(), value.to_owned()))).into()
    }
}

/// Shows the keys only: values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")?;
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn a_missing_or_empty_value_is_named_and_no_value_is_shown() {
        let environment = Environment::from([("url", ""), ("SECRET", "hunter2")]);
        assert_eq!(environment.require("SECRET").unwrap(), "hunter2");
        assert_eq!(
            environment.require("url").unwrap_err().to_string(),
            "environment key url is missing: set it in the environment of the function"
        );
        assert_eq!(format!("{environment:?}"), r#"Environment{"SECRET", "url"}"#);
    }
}
