//! `functions.<name>.environment`: the environment of a function.
//!
//! Problems name the key and never show a value, which may be a secret.

use std::collections::BTreeMap;

use daemon::settings::{Kind, Section};
use functions::Environment;

use super::variables::Variables;

/// The keys that the runner sets begin with these (documented).
const RESERVED: [&str; 3] = ["SCF_", "QCLOUD_", "TENCENTCLOUD_"];
const RESERVED_KEYS: [&str; 2] = ["_HANDLER", "USER_CODE_ROOT"];
/// All keys and values of a function, in bytes (documented).
const BYTES_MAX: usize = 4096;

/// Takes `environment` out of the section of a function. `None` when something is wrong with it,
/// which is noted.
pub(super) fn read(section: &mut Section, variables: &Variables) -> Option<Environment> {
    // Takes any value: the message for a value of another kind would show it.
    let anything = Kind::new("a string", |value| Some(value.as_str().map(str::to_owned)));
    let mut values = BTreeMap::new();
    let mut sound = true;
    for (key, value) in section.entries("environment", &anything) {
        match check(&key, value.as_deref(), variables) {
            Ok(value) => {
                values.insert(key, value);
            }
            Err(what) => {
                section.problem(&format!("environment.{key}"), what);
                sound = false;
            }
        }
    }
    let bytes: usize = values.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > BYTES_MAX {
        let what = format!("has {bytes} bytes of keys and values; use {BYTES_MAX} at most");
        section.problem("environment", what);
        sound = false;
    }
    sound.then(|| values.into())
}

/// The value to set for `key`, or the problem.
fn check(key: &str, value: Option<&str>, variables: &Variables) -> Result<String, String> {
    if let Some(prefix) = RESERVED.into_iter().find(|prefix| key.starts_with(prefix)) {
        return Err(format!("begins with {prefix}, which is kept for the runner; rename it"));
    }
    if RESERVED_KEYS.contains(&key) {
        return Err("is kept for the runner; rename it".to_owned());
    }
    if !is_key(key) {
        return Err("is not a name for an environment variable; use letters, digits and _, \
                    and no digit first"
            .to_owned());
    }
    let value = value.ok_or("is not a string; put it in quotes")?;
    if value.contains('\0') {
        return Err("has a NUL in it, which no environment can hold; remove it".to_owned());
    }
    variables.expand(value)
}

fn is_key(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
