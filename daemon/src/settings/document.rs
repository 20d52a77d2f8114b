//! A TOML file with environment variables laid over it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
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
    /// Keys that are there because of a variable, with its name: the one that it sets, and the
    /// tables around it that the file does not have.
    variables: RefCell<BTreeMap<String, String>>,
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
                Ok(keys) => origins.extend(keys.into_iter().map(|key| (key, name.clone()))),
                Err(what) => problems.push(Problem { place: name.clone(), what }),
            }
        }
        let (variables, problems) = (RefCell::new(origins), RefCell::new(problems));
        let notes = Notes { file: file.to_owned(), variables, problems };
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
    /// Notes what is wrong with the value at `key`.
    pub(super) fn add(&self, key: &str, what: String) {
        let place = match self.variables.borrow().get(key) {
            Some(variable) => variable.clone(),
            None => format!("{}: {key}", self.file.display()),
        };
        self.problems.borrow_mut().push(Problem { place, what });
    }

    /// Notes what is wrong with there being a `key`, for all that put it there: the file, and
    /// every variable that sets it or something below it.
    pub(super) fn add_everywhere(&self, key: &str, what: &str) {
        if !self.is_variable(key) {
            self.add(key, what.to_owned());
        }
        let variables = self.variables.borrow();
        let within = variables.iter().filter(|(at, _)| is_within(at, key));
        let places: BTreeSet<_> = within.map(|(_, variable)| variable.clone()).collect();
        let problem = |place| Problem { place, what: format!("{key} {what}") };
        self.problems.borrow_mut().extend(places.into_iter().map(problem));
    }

    pub(super) fn is_variable(&self, key: &str) -> bool {
        self.variables.borrow().contains_key(key)
    }

    /// Renames `spelled`, a key that only variables have put there, to the `key` that it is read
    /// as, and with it what is below.
    pub(super) fn respell(&self, spelled: &str, key: &str) {
        let respell = |(at, variable): (String, String)| {
            let at = if is_within(&at, spelled) { at.replacen(spelled, key, 1) } else { at };
            (at, variable)
        };
        let variables = self.variables.take();
        *self.variables.borrow_mut() = variables.into_iter().map(respell).collect();
    }
}

/// Whether `key` is `section` or something in it.
fn is_within(key: &str, section: &str) -> bool {
    key.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Joins the key of a section with a key in it, or with the `[number]` of an element.
pub(super) fn join(section: &str, key: &str) -> String {
    let dot = if section.is_empty() || key.starts_with('[') { "" } else { "." };
    format!("{section}{dot}{key}")
}

/// Whether `part` of a variable's name stands for `key`.
pub(super) fn names(part: &str, key: &str) -> bool {
    part.eq_ignore_ascii_case(&key.replace('-', "_"))
}

/// Puts `value` where `parts` point: the keys that are new or have a new value by that, or why
/// there is no such place.
fn lay_over(table: &mut Table, parts: &[&str], value: &str) -> Result<Vec<String>, String> {
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
