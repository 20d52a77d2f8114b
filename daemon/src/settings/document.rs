//! A TOML file with environment variables laid over it.

use std::{collections::BTreeMap, path::Path, rc::Rc};

use toml::Table;

use super::{Key, Problem, Section, SettingsError, notes::Notes, variables::lay_over};

/// A settings file, parsed, with the variables that override it.
///
/// The variable of `listen.public` under the prefix `LONGHOLD_GATEWAY` is
/// `LONGHOLD_GATEWAY__LISTEN__PUBLIC`: upper case, `__` between the parts, `_` for `-`. An element
/// of an array is named by its number, from 0.
#[derive(Debug)]
pub struct Document {
    notes: Rc<Notes>,
    root: Table,
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
            SettingsError(vec![Problem { place, what: not_toml(text, &error) }])
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
        Ok(Self { notes: Rc::new(Notes::of_file(file, origins, problems)), root })
    }

    /// Reads the settings with `read`. The error has every problem of the document: those that
    /// `read` noted, and the keys that `read` did not ask for.
    pub fn read<T>(self, read: impl FnOnce(&mut Section) -> Option<T>) -> Result<T, SettingsError> {
        let mut root = Section::new(Rc::clone(&self.notes), String::new(), self.root);
        let outcome = read(&mut root);
        drop(root);
        let problems = self.notes.take_problems();
        match outcome {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(SettingsError(problems)),
        }
    }
}

/// Says where `text` is not TOML. Does not show the line, which may hold a secret.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let message = error.message();
    let before = error.span().and_then(|span| text.get(..span.start));
    let Some(before) = before else { return format!("is not TOML: {message}") };
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("line {line}, column {column}: {message}")
}

/// Lists the keys that `read` asks for. `read` finds none of them set; every list of tables and
/// every table of named tables has one element.
pub fn describe<T>(read: impl FnOnce(&mut Section) -> T) -> Vec<Key> {
    let notes = Rc::new(Notes::of_description());
    read(&mut Section::new(Rc::clone(&notes), String::new(), Table::new()));
    notes.take_keys()
}
