//! A TOML file with environment variables laid over it.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
};

use toml::{Table, Value};

use super::{Problem, Section, SettingsError};

/// A settings file, read, with the variables that override it.
///
/// The variable of `listen.public` under the prefix `LONGHOLD_GATEWAY` is
/// `LONGHOLD_GATEWAY__LISTEN__PUBLIC`: upper case, `__` between the parts, `_` for `-`. An element
/// of an array is named by its number, from 0.
#[derive(Debug)]
pub struct Document {
    notes: Rc<Notes>,
    root: Table,
}

/// What all sections of a document share.
#[derive(Debug)]
pub(super) struct Notes {
    file: PathBuf,
    /// Keys that came from a variable, with its name.
    variables: BTreeMap<String, String>,
    problems: RefCell<Vec<Problem>>,
}

impl Document {
    /// Parses `text`, the content of `file`, and lays those `variables` over it whose names begin
    /// with `prefix` and two underscores.
    pub fn parse(
        file: &Path,
        text: &str,
        prefix: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, SettingsError> {
        let mut root: Table = toml::from_str(text).map_err(|error| {
            let place = file.display().to_string();
            SettingsError(vec![Problem { place, what: error.to_string().trim_end().to_owned() }])
        })?;
        let prefix = format!("{prefix}__");
        let mut origins = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, value) in variables {
            let Some(path) = name.strip_prefix(&prefix) else { continue };
            let parts: Vec<&str> = path.split("__").collect();
            match lay_over(&mut root, &parts, value) {
                Ok(key) => {
                    origins.insert(key, name.clone());
                }
                Err(what) => problems.push(Problem { place: name.clone(), what }),
            }
        }
        let problems = RefCell::new(problems);
        let notes = Notes { file: file.to_owned(), variables: origins, problems };
        Ok(Self { notes: Rc::new(notes), root })
    }

    /// Takes the document apart with `read`. Whatever was found wrong on the way, by `read` or by
    /// what it left unread, is the error.
    pub fn read<T>(self, read: impl FnOnce(&mut Section) -> Option<T>) -> Result<T, SettingsError> {
        let mut root = Section::new(Rc::clone(&self.notes), String::new(), self.root);
        let outcome = read(&mut root);
        drop(root);
        let problems = self.notes.problems.take();
        match outcome {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(SettingsError(problems)),
        }
    }
}

impl Notes {
    pub(super) fn add(&self, key: &str, what: String) {
        let place = match self.variables.get(key) {
            Some(variable) => variable.clone(),
            None => format!("{}: {key}", self.file.display()),
        };
        self.problems.borrow_mut().push(Problem { place, what });
    }

    pub(super) fn is_variable(&self, key: &str) -> bool {
        self.variables.contains_key(key)
    }
}

/// Joins the key of a section with a key in it.
pub(super) fn join(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// Whether `part` of a variable's name stands for `key`.
pub(super) fn names(part: &str, key: &str) -> bool {
    part.eq_ignore_ascii_case(&key.replace('-', "_"))
}

/// Puts `value` where `parts` point; the key of that place, or why there is none.
fn lay_over(table: &mut Table, parts: &[&str], value: &str) -> Result<String, String> {
    let (part, rest) = parts.split_first().ok_or("names no setting")?;
    let key = table.keys().find(|key| names(part, key)).cloned();
    let key = key.unwrap_or_else(|| (*part).to_owned());
    if rest.is_empty() {
        table.insert(key.clone(), Value::String(value.to_owned()));
        return Ok(key);
    }
    let inner = table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
    let below = match inner {
        Value::Table(inner) => lay_over(inner, rest, value)?,
        Value::Array(elements) => lay_over_element(elements, rest, value)?,
        _ => return Err(format!("{key} has no settings below it")),
    };
    Ok(if below.starts_with('[') { format!("{key}{below}") } else { join(&key, &below) })
}

fn lay_over_element(array: &mut [Value], parts: &[&str], value: &str) -> Result<String, String> {
    let (part, rest) = parts.split_first().ok_or("names no element")?;
    let count = array.len();
    let index: usize =
        part.parse().ok().filter(|index| *index < count).ok_or_else(|| {
            format!("{part} is not the number of one of {count} elements, from 0")
        })?;
    match &mut array[index] {
        Value::Table(inner) if !rest.is_empty() => {
            Ok(join(&format!("[{index}]"), &lay_over(inner, rest, value)?))
        }
        _ => Err(format!("element {index} has no settings below it")),
    }
}
