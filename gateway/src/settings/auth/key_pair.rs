//! `[[api.key_pairs]]`: the key pairs that clients sign with.

use std::{collections::HashSet, path::Path};

use daemon::settings::{Given, Kind, Secret, Section};

/// A secret id, and the secret that its owner signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// `id`: names the pair, and the client in events.
    pub id: String,
    /// `secret`, or the content of `secret_file`.
    pub secret: Secret,
}

impl KeyPair {
    /// Whether there are pairs in the settings, and those of them that are valid.
    pub(super) fn read_all(api: &mut Section, base: &Path) -> (bool, Vec<Self>) {
        let mut ids = HashSet::new();
        let mut pairs = Vec::new();
        let sections = api.sections("key_pairs");
        let has_pairs = !sections.is_empty();
        for mut section in sections {
            // Both are read before a missing one ends this, so that all problems are reported.
            let id = section.require("id", &id_kind());
            let secret = read_secret(&mut section, base);
            let Some(id) = id else { continue };
            if !ids.insert(id.clone()) {
                section.problem(
                    "id",
                    format!("{id:?} is the id of another pair; use one id per pair"),
                );
            }
            pairs.extend(secret.map(|secret| Self { id, secret }));
        }
        (has_pairs, pairs)
    }
}

fn read_secret(section: &mut Section, base: &Path) -> Option<Secret> {
    let keys = ["secret", "secret_file"];
    match section.read_secret_or_file(keys, base, Secret::KEY_VALUES, Secret::check_key) {
        Given::Sound(secret) => Some(secret),
        Given::Unsound => None,
        Given::No => {
            section.problem("secret", "is missing; set secret or secret_file");
            None
        }
    }
}

fn id_kind() -> Kind<String> {
    let values = "1 to 128 visible ASCII characters without quotes";
    let kind = Kind::new(values, |value| {
        let is_sound = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
        let id = value.as_str().filter(|id| (1..=128).contains(&id.len()));
        id.filter(|id| id.bytes().all(is_sound)).map(str::to_owned)
    });
    kind.such_as("\"AKIDexample\"")
}
