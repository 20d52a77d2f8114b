//! `[[credentials]]`: the pairs that requests may be signed with. Several, so that one can be
//! replaced while clients still use it.
//!
//! Problems name the key and never show a value.

use std::{fmt, path::Path, sync::Arc};

use daemon::{
    credentials::DerivedPair,
    settings::{Given, Secret, Section},
    telemetry::Redaction,
};

/// What a secret id may consist of: it stands in a signature between `=` and `&`.
const ID_VALUES: &str = "1 to 128 letters, digits, - and _";
const ID_BYTES_MAX: usize = 128;
/// What a secret key may consist of, so that the log can be kept free of it.
const KEY_VALUES: &str = "16 to 256 visible ASCII characters without quotes and backslashes";
const KEY_BYTES_MIN: usize = 16;
const KEY_BYTES_MAX: usize = 256;

/// A secret id and its secret key.
#[derive(Clone)]
pub struct Credential {
    id: String,
    key: Secret,
    /// The log does not show the key, whoever writes the line.
    #[expect(dead_code, reason = "held, not read")]
    redaction: Arc<Redaction>,
}

impl Credential {
    /// The pair, if its texts are sound.
    pub fn new(id: &str, key: &str) -> Result<Self, String> {
        check_id(id)?;
        check_key(key)?;
        Ok(Self::of(id, Secret::new(key)))
    }

    fn of(id: &str, key: Secret) -> Self {
        let redaction = Arc::new(Redaction::of(key.reveal()));
        Self { id: id.to_owned(), key, redaction }
    }

    /// The pair that follows from the token of the services.
    pub(super) fn derived(pair: DerivedPair) -> Self {
        Self::of(&pair.id, pair.key)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn key(&self) -> &str {
        self.key.reveal()
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.key == other.key
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").finish_non_exhaustive()
    }
}

/// Takes `[[credentials]]`. Problems are noted.
pub(super) fn read_all(root: &mut Section, base: &Path) -> Vec<Credential> {
    let mut credentials: Vec<Credential> = Vec::new();
    for mut section in root.sections("credentials") {
        let Some(credential) = read(&mut section, base) else { continue };
        if credentials.iter().any(|other| other.id == credential.id) {
            section.problem("secret_id", "is that of another pair; give each pair its own");
        }
        credentials.push(credential);
    }
    credentials
}

fn read(section: &mut Section, base: &Path) -> Option<Credential> {
    let id = section.read_secret("secret_id", ID_VALUES, check_id);
    let keys = ["secret_key", "secret_key_file"];
    let key = section.read_secret_or_file(keys, base, KEY_VALUES, check_key);
    if section.is_description() {
        return None;
    }
    if matches!(id, Given::No) {
        section.problem("secret_id", format!("is missing; use {ID_VALUES}"));
    }
    if matches!(key, Given::No) {
        section.problem("secret_key", "is missing; set it, or secret_key_file");
    }
    match (id, key) {
        (Given::Sound(id), Given::Sound(key)) => Some(Credential::of(id.reveal(), key)),
        _ => None,
    }
}

fn check_id(id: &str) -> Result<(), String> {
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(is_sound) {
        return Ok(());
    }
    Err(format!("is not a secret id; use {ID_VALUES}"))
}

fn check_key(key: &str) -> Result<(), String> {
    let is_sound = |byte: u8| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte);
    if (KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(is_sound) {
        return Ok(());
    }
    Err(format!("is not a secret key; use {KEY_VALUES}, such as from openssl rand -hex 20"))
}
