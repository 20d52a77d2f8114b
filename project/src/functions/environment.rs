//! The environment of a function. Notes name keys, and never values: these may be secrets.

use std::collections::BTreeMap;

use crate::{
    context::{Context, Noted},
    note::{Severity, Spot},
    yaml::{Entry, Node, Value},
};

/// All keys and values of a function together, in bytes, as in the cloud.
const BYTES_MAX: usize = 4096;
/// Keys that the runner sets begin with these.
const RESERVED: [&str; 3] = ["SCF_", "QCLOUD_", "TENCENTCLOUD_"];
/// But for those of a role, which a function may set itself.
const OF_ROLE: [&str; 3] =
    ["TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"];
const RESERVED_KEYS: [&str; 2] = ["_HANDLER", "USER_CODE_ROOT"];

type Environment = BTreeMap<String, String>;

impl Context<'_> {
    /// Reads `environment: {variables}` and `environments: [{key, value}]`.
    pub(super) fn environment(&mut self, inputs: &Node, spot: &Spot) -> Result<Environment, Noted> {
        let mut environment = Environment::new();
        if let Some(node) = self.get(inputs, "environment") {
            match self.get(&node, "variables") {
                Some(variables) => self.add_all(&variables, &mut environment),
                None if node.get("variables").is_none() => self.add_all(&node, &mut environment),
                None => {}
            }
        }
        if let Some(node) = self.get(inputs, "environments") {
            self.add_all(&node, &mut environment);
        }
        let bytes: usize = environment.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > BYTES_MAX {
            let what = format!(
                "the environment has {bytes} bytes of keys and values, and may have {BYTES_MAX}"
            );
            self.notes.error(spot, what);
            return Err(Noted);
        }
        Ok(environment)
    }

    /// A map of variables, or a list of maps with `key` and `value`.
    fn add_all(&mut self, variables: &Node, environment: &mut Environment) {
        match &variables.value {
            Value::Map(entries) => {
                for Entry { key, node, spot } in entries.iter() {
                    self.add(key, spot, node, environment);
                }
            }
            Value::List(list) => {
                for item in list.iter() {
                    let Some(item) = self.item("environments", item) else { continue };
                    let value = item.get("value");
                    match (self.text(&item, "key"), value) {
                        (Some(key), Some(value)) => {
                            self.add(&key.text, &key.spot, value, environment);
                        }
                        _ => self
                            .notes
                            .warning(&item.spot, "this is no variable: write key: and value:"),
                    }
                }
            }
            Value::Null | Value::Text(_) | Value::Tagged(_) => self.notes.warning(
                &variables.spot,
                format!("the environment is {}, and should be a map", variables.kind()),
            ),
        }
    }

    fn add(&mut self, key: &str, spot: &Spot, node: &Node, environment: &mut Environment) {
        if let Err(what) = check_key(key) {
            let what = format!("the variable {key} is left out: {what}");
            self.notes.warning(spot, what);
            return;
        }
        let found = match self.references.resolve(node) {
            Ok(found) => found,
            Err(unresolved) => {
                let what = format!("the variable {key} is left out: {}", unresolved.what);
                self.notes.add(unresolved.severity, &node.spot, what);
                return;
            }
        };
        let value = match &found.value {
            Value::Text(text) if !text.contains('\0') => text.to_string(),
            Value::Null => String::new(),
            Value::Text(_) | Value::List(_) | Value::Map(_) | Value::Tagged(_) => {
                let what = format!(
                    "the variable {key} is left out: it is {}, and should be text without zero bytes",
                    found.kind()
                );
                self.notes.add(Severity::Warning, &node.spot, what);
                return;
            }
        };
        environment.insert(key.to_owned(), value);
    }
}

fn check_key(key: &str) -> Result<(), &'static str> {
    if OF_ROLE.contains(&key) {
        return Ok(());
    }
    if RESERVED.iter().any(|start| key.starts_with(start)) || RESERVED_KEYS.contains(&key) {
        return Err("the runner sets variables of this name itself");
    }
    let is_sound = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !key.is_empty()
        && !key.starts_with(|first: char| first.is_ascii_digit());
    if is_sound { Ok(()) } else { Err("use letters, digits and _, and no digit first") }
}
