//! `functions.<name>.environment` and `environment_files`: the environment of a function.
//!
//! Problems name the key and never show a value, which may be a secret.

use std::{collections::BTreeMap, fmt, path::Path};

use daemon::settings::{Given, Kind, Section};
use functions::Environment;

use super::variables::Variables;

/// The keys that the runner sets begin with these (documented).
const RESERVED: [&str; 3] = ["SCF_", "QCLOUD_", "TENCENTCLOUD_"];
const RESERVED_KEYS: [&str; 2] = ["_HANDLER", "USER_CODE_ROOT"];
/// Those of them that the runner sets for a function with a role only.
const OF_ROLE: [&str; 3] =
    ["TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"];
/// All keys and values of a function, in bytes (documented).
const BYTES_MAX: usize = 4096;

/// The environment of a function before the address to push to is known: of each value the texts
/// before, between and after it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct EnvironmentTexts(BTreeMap<String, Vec<String>>);

impl EnvironmentTexts {
    /// The environment of a function that pushes to `push`.
    pub(crate) fn with_push(&self, push: &str) -> Environment {
        let join = |(key, texts): (&String, &Vec<String>)| (key.clone(), texts.join(push));
        self.0.iter().map(join).collect::<BTreeMap<_, _>>().into()
    }

    /// Whether the address to push to is in it.
    pub(super) fn has_push(&self) -> bool {
        self.0.values().any(|texts| texts.len() > 1)
    }

    /// Whether one of `keys` is set.
    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.0.contains_key(*key))
    }

    /// The value of `PATH`, if it is set.
    pub(crate) fn path(&self) -> Option<String> {
        self.0.get("PATH").map(|texts| texts.join("")).filter(|path| !path.is_empty())
    }
}

/// Shows the keys only: values may be secrets.
impl fmt::Debug for EnvironmentTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentTexts")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Takes `environment` and `environment_files` out of the section of a function. `None` when
/// something is wrong with them, which is noted. Relative paths start at `folder`.
pub(super) fn read(
    section: &mut Section,
    variables: &Variables,
    folder: &Path,
) -> Option<EnvironmentTexts> {
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
    for (key, secret) in section.read_secret_files("environment_files", folder) {
        let at = format!("environment_files.{key}");
        let secret = match &secret {
            Given::Sound(secret) => Some(secret.reveal()),
            Given::No | Given::Unsound => None,
        };
        let what = check_key(&key).and_then(|()| match secret {
            _ if values.contains_key(&key) => Err("is in environment too; remove one".to_owned()),
            Some(secret) => check_value(secret),
            None => Ok(()),
        });
        if let Err(what) = &what {
            section.problem(&at, what);
        }
        sound &= what.is_ok() && secret.is_some();
        // The text of a file is not expanded.
        values.insert(key, vec![secret.unwrap_or_default().to_owned()]);
    }
    let push_bytes = variables.push().unwrap_or_default().len();
    let length = |texts: &Vec<String>| texts.iter().map(String::len).sum::<usize>();
    let all = |texts: &Vec<String>| length(texts) + (texts.len() - 1) * push_bytes;
    let bytes: usize = values.iter().map(|(key, texts)| key.len() + all(texts)).sum();
    if bytes > BYTES_MAX {
        let what = format!("has {bytes} bytes of keys and values; use {BYTES_MAX} at most");
        section.problem("environment", what);
        sound = false;
    }
    sound.then_some(EnvironmentTexts(values))
}

/// The texts of the value to set for `key`, or the problem.
fn check(key: &str, value: Option<&str>, variables: &Variables) -> Result<Vec<String>, String> {
    check_key(key)?;
    let value = value.ok_or("is not a string; put it in quotes")?;
    check_value(value)?;
    variables.expand(value)
}

fn check_key(key: &str) -> Result<(), String> {
    if OF_ROLE.contains(&key) {
        return Ok(());
    }
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
    Ok(())
}

fn check_value(value: &str) -> Result<(), String> {
    if value.contains('\0') {
        return Err("has a NUL in it, which no environment can hold; remove it".to_owned());
    }
    Ok(())
}

fn is_key(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
