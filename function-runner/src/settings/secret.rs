//! `[invoke]`: the secret pair that requests of the cloud API's `Invoke` are signed with.
//!
//! Problems name the key and never show a value.

use std::fmt;

use daemon::settings::{Kind, Section};

/// A secret id and its secret key.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretPair {
    id: String,
    key: String,
}

impl SecretPair {
    #[cfg(test)]
    pub(crate) fn new(id: &str, key: &str) -> Self {
        Self { id: id.to_owned(), key: key.to_owned() }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Takes `[invoke]`. `None` without a pair, and when something is wrong, which is noted.
    pub(super) fn read(root: &mut Section) -> Option<Self> {
        let mut section = root.section("invoke");
        let id = read_text(&mut section, "secret_id", "visible ASCII without / and ,", |id| {
            id.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b','))
        });
        let key = read_text(&mut section, "secret_key", "a string that is not empty", |_| true);
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

/// The value of a key.
enum Given {
    No,
    Unsound,
    Sound(String),
}

fn alone(section: &Section, missing: &str) {
    section.problem(missing, "is missing; set both secret_id and secret_key, or neither");
}

/// `values` says in words what `is_sound` checks.
fn read_text(
    section: &mut Section,
    key: &'static str,
    values: &str,
    is_sound: impl FnOnce(&str) -> bool,
) -> Given {
    // Takes any value: the message for a value of another kind would show it.
    let anything = Kind::new(values, |value| Some(value.as_str().map(str::to_owned)));
    let Some(value) = section.read(key, &anything) else { return Given::No };
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        section.problem(key, "is not a string with something in it; put it in quotes");
        return Given::Unsound;
    };
    if is_sound(&value) {
        return Given::Sound(value);
    }
    section.problem(key, format!("has characters that do not belong there; use {values}"));
    Given::Unsound
}
