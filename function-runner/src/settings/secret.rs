//! `[invoke]`: the secret pair that requests of the cloud API's `Invoke` are signed with.
//!
//! Problems name the key and never show a value.

use std::fmt;

use daemon::settings::{Given, Secret, Section};

/// What a secret id may consist of.
const ID_VALUES: &str = "visible ASCII without / and ,";

/// A secret id and its secret key.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretPair {
    id: Secret,
    key: Secret,
}

impl SecretPair {
    #[cfg(test)]
    pub(crate) fn new(id: &str, key: &str) -> Self {
        Self { id: Secret::new(id), key: Secret::new(key) }
    }

    pub(crate) fn id(&self) -> &str {
        self.id.reveal()
    }

    pub(crate) fn key(&self) -> &str {
        self.key.reveal()
    }

    /// Takes `[invoke]`. `None` without a pair, and when something is wrong, which is noted.
    pub(super) fn read(root: &mut Section) -> Option<Self> {
        let mut section = root.section("invoke");
        let id = section.read_secret("secret_id", ID_VALUES, |id| {
            let is_sound = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b',');
            let problem = || format!("has characters that do not belong there; use {ID_VALUES}");
            id.bytes().all(is_sound).then_some(()).ok_or_else(problem)
        });
        let key = section.read_secret("secret_key", Secret::KEY_VALUES, Secret::check_key);
        match (id, key) {
            (Given::Sound(id), Given::Sound(key)) => return Some(Self { id, key }),
            (Given::No, Given::Sound(_) | Given::Unsound) => alone(&section, "secret_id"),
            (Given::Sound(_) | Given::Unsound, Given::No) => alone(&section, "secret_key"),
            (Given::No, Given::No)
            | (Given::Unsound, Given::Sound(_) | Given::Unsound)
            | (Given::Sound(_), Given::Unsound) => {}
        }
        None
    }
}

impl fmt::Debug for SecretPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretPair").finish_non_exhaustive()
    }
}

fn alone(section: &Section, missing: &str) {
    section.problem(missing, "is missing; set both secret_id and secret_key, or neither");
}
