//! Environment variables, laid over the tables of a file.

use toml::{Table, Value};

use super::notes::join;

/// Whether `part` of a variable's name stands for `key`.
pub(super) fn names(part: &str, key: &str) -> bool {
    part.eq_ignore_ascii_case(&key.replace('-', "_"))
}

/// Sets the key that `parts` name to `value`. Returns the keys that are new or have a new value, or
/// why there can be no such key.
pub(super) fn lay_over(
    table: &mut Table,
    parts: &[&str],
    value: &str,
) -> Result<Vec<String>, String> {
    let parts = parts.split_first().filter(|(part, _)| !part.is_empty());
    let (part, rest) = parts.ok_or("names no setting: a part of it is empty")?;
    let known = table.keys().find(|key| names(part, key)).cloned();
    let is_new = known.is_none();
    let key = known.unwrap_or_else(|| (*part).to_owned());
    if rest.is_empty() {
        table.insert(key.clone(), Value::String(value.to_owned()));
        return Ok(vec![key]);
    }
    let inner = table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
    let below = match inner {
        Value::Table(inner) => lay_over(inner, rest, value)?,
        Value::Array(elements) => lay_over_element(&key, elements, rest, value)?,
        _ => return Err(format!("{key} is not a table; leave out what follows it")),
    };
    let mut keys: Vec<_> = below.iter().map(|below| join(&key, below)).collect();
    keys.extend(is_new.then_some(key));
    Ok(keys)
}

/// The same for an array. A variable changes elements of the file, and adds none.
fn lay_over_element(
    key: &str,
    elements: &mut [Value],
    parts: &[&str],
    value: &str,
) -> Result<Vec<String>, String> {
    let (part, rest) = parts.split_first().ok_or("names no element")?;
    let count = elements.len();
    let number = part.parse().ok().filter(|number| *number < count);
    let number: usize = number.ok_or_else(|| match count {
        0 => format!("{key} has no elements; add them to the file"),
        _ => format!("{key} has no element {part:?}; use a number from 0 to {}", count - 1),
    })?;
    let element = format!("[{number}]");
    match &mut elements[number] {
        inner if rest.is_empty() => {
            *inner = Value::String(value.to_owned());
            Ok(vec![element])
        }
        Value::Table(inner) => {
            let below = lay_over(inner, rest, value)?;
            Ok(below.iter().map(|below| join(&element, below)).collect())
        }
        _ => Err(format!("{key}{element} is not a table; leave out what follows it")),
    }
}
