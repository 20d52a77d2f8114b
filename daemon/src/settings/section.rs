//! One table of a settings file, read key by key.

mod tables;

use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

use toml::{Table, Value};

use super::{
    InlineSecrets, Kind, Origins,
    inline::InlineSecret,
    nearest::nearest_of,
    notes::{Notes, join},
    variables::names,
};
use crate::secret_files;

/// One table of a document. Keys that nobody asked for are noted as unknown when the section is
/// dropped.
#[derive(Debug)]
pub struct Section {
    notes: Rc<Notes>,
    path: String,
    table: Table,
    known: Vec<&'static str>,
}

impl Section {
    pub(super) fn new(notes: Rc<Notes>, path: String, table: Table) -> Self {
        Self { notes, path, table, known: Vec::new() }
    }

    /// Reads a value that has no default. `None` when it is not set, and when it is not valid,
    /// which is noted.
    pub fn read<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<T> {
        self.read_derived(key, kind, "none")
    }

    /// Reads a value that is `default` when it is not set, and when it is not valid, which is
    /// noted. `default` is written as in a file; text without its quotes.
    pub fn read_or<T>(&mut self, key: &'static str, kind: &Kind<T>, default: &str) -> T {
        self.read_derived(key, kind, default).unwrap_or_else(|| {
            kind.parse_text(default).expect("the default of a key is one of its values")
        })
    }

    /// Reads a value whose default follows from other settings; `default` says in words how.
    /// `None` when it is not set, and when it is not valid, which is noted.
    pub fn read_derived<T>(
        &mut self,
        key: &'static str,
        kind: &Kind<T>,
        default: &str,
    ) -> Option<T> {
        self.notes.add_key(&self.path, key, kind.values(), default);
        let value = self.take(key)?;
        self.parse(&self.key(key), &value, kind)
    }

    /// Reads a value that must be set. `None` when it is not set or not valid, which is noted.
    pub fn require<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<T> {
        self.notes.add_key(&self.path, key, kind.values(), "required");
        match self.take(key) {
            Some(value) => self.parse(&self.key(key), &value, kind),
            None => {
                self.problem(key, format!("is missing; use {}", kind.expected()));
                None
            }
        }
    }

    /// Whether the keys are listed, and no file is read.
    pub fn is_description(&self) -> bool {
        self.notes.is_description()
    }

    /// Whether something stands at `key` that was not read yet.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key) || self.spelled_in_variable(key).is_some()
    }

    /// Leaves all keys that were not read. They are no problems.
    pub fn leave_rest(&mut self) {
        self.table.clear();
    }

    /// Notes a problem of the value at `key`: what is wrong with it, and what would be right.
    pub fn problem(&self, key: &str, what: impl Into<String>) {
        self.notes.add(&self.key(key), what.into());
    }

    /// The files with secrets that the document names. Knows those that have been read so far.
    pub fn secret_files(&self) -> Vec<PathBuf> {
        self.notes.secret_files()
    }

    /// The secrets that stand in the file of the document itself. Knows those that have been read
    /// so far.
    pub fn inline_secrets(&self) -> InlineSecrets {
        self.notes.inline_secrets()
    }

    /// Notes that there is a secret at `key`, if it stands in the file itself. `file_key` names a
    /// file instead.
    pub(super) fn note_inline_secret(&self, key: &str, file_key: Option<&'static str>) {
        let path = self.key(key);
        if self.table.contains_key(key) && !self.notes.is_variable(&path) {
            self.notes.add_inline_secret(InlineSecret { key: path, file_key });
        }
    }

    /// Notes a file with a secret.
    pub(super) fn note_secret_file(&self, file: &Path) {
        secret_files::note_chosen(file);
        self.notes.add_secret_file(file);
    }

    /// Where all keys of the document come from. Knows the keys that have been read so far.
    pub fn origins(&self) -> Origins {
        self.notes.origins()
    }

    fn key(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// A key that only variables set is spelled as in the first of them.
    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        if let Some(value) = self.table.remove(key) {
            return Some(value);
        }
        let spelled = self.spelled_in_variable(key)?.clone();
        self.notes.respell(&join(&self.path, &spelled), &self.key(key));
        self.table.remove(&spelled)
    }

    /// How a variable spells `key`, if only variables set it.
    fn spelled_in_variable(&self, key: &str) -> Option<&String> {
        self.table.keys().find(|spelled| {
            names(spelled, key) && self.notes.is_variable(&join(&self.path, spelled))
        })
    }

    fn parse<T>(&self, path: &str, value: &Value, kind: &Kind<T>) -> Option<T> {
        let parsed = match value {
            Value::String(text) if self.notes.is_variable(path) => kind.parse_text(text),
            _ => kind.parse(value),
        };
        if parsed.is_none() {
            let value = kind.shown(value);
            self.notes.add(path, format!("{value} is not valid; use {}", kind.expected()));
        }
        parsed
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        let known = self.known.join(", ");
        for key in self.table.keys() {
            // Keys of variables are in upper case.
            let what = match nearest_of(&key.to_lowercase(), &self.known) {
                Some(near) => {
                    format!("is not a setting; did you mean {near:?}? Known here: {known}")
                }
                None => format!("is not a setting; known here: {known}"),
            };
            self.notes.add_everywhere(&self.key(key), &what);
        }
    }
}
