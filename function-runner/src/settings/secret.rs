//! Secret pairs: that of `[invoke]`, with which requests of the cloud API's `Invoke` are signed,
//! and that of functions with a role.
//!
//! Problems name the key and never show a value.

use std::{fmt, path::Path, sync::Arc};

use daemon::{
    credentials::DerivedPair,
    settings::{Given, Secret, Section},
    telemetry::Redaction,
};

/// What a secret id may consist of.
const ID_VALUES: &str = "visible ASCII without / and ,";

/// A secret id and its secret key.
#[derive(Clone)]
pub struct SecretPair {
    id: Secret,
    key: Secret,
    /// The log shows no key, whoever writes the line.
    #[expect(dead_code, reason = "held, not read")]
    redaction: Arc<Redaction>,
}

impl SecretPair {
    #[cfg(test)]
    pub(crate) fn new(id: &str, key: &str) -> Self {
        Self::redacted(Secret::new(id), Secret::new(key))
    }

    /// The pair that follows from a token. The log shows no key.
    pub(crate) fn derived(pair: DerivedPair) -> Self {
        Self::redacted(Secret::new(pair.id), pair.key)
    }

    fn redacted(id: Secret, key: Secret) -> Self {
        let redaction = Arc::new(Redaction::of(key.reveal()));
        Self { id, key, redaction }
    }

    /// The secret id.
    pub fn id(&self) -> &str {
        self.id.reveal()
    }

    /// The secret key itself.
    pub fn key(&self) -> &str {
        self.key.reveal()
    }

    /// Takes the pair of `[invoke]` or `[cloud.role]`, whose key may be in a file. A relative path
    /// starts at `folder`. `None` without a pair, and when something is wrong, which is noted.
    pub(super) fn read(section: &mut Section, folder: &Path) -> Option<Self> {
        let id = section.read_secret("secret_id", ID_VALUES, check_id);
        let keys = ["secret_key", "secret_key_file"];
        let key = section.read_secret_or_file(keys, folder, Secret::KEY_VALUES, Secret::check_key);
        Self::both(section, id, key)
    }

    fn both(section: &Section, id: Given, key: Given) -> Option<Self> {
        match (id, key) {
            (Given::Sound(id), Given::Sound(key)) => return Some(Self::redacted(id, key)),
            (Given::No, Given::Sound(_) | Given::Unsound) => alone(section, "secret_id"),
            (Given::Sound(_) | Given::Unsound, Given::No) => alone(section, "secret_key"),
            (Given::No, Given::No)
            | (Given::Unsound, Given::Sound(_) | Given::Unsound)
            | (Given::Sound(_), Given::Unsound) => {}
        }
        None
    }
}

impl PartialEq for SecretPair {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.key == other.key
    }
}

impl Eq for SecretPair {}

impl fmt::Debug for SecretPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretPair").finish_non_exhaustive()
    }
}

fn check_id(id: &str) -> Result<(), String> {
    let is_sound = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b',');
    let problem = || format!("has characters that do not belong there; use {ID_VALUES}");
    id.bytes().all(is_sound).then_some(()).ok_or_else(problem)
}

fn alone(section: &Section, missing: &str) {
    section.problem(missing, "is missing; set both secret_id and secret_key, or neither");
}
