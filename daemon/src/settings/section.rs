//! One table of a settings file, taken apart key by key.

use std::rc::Rc;

use toml::{Table, Value};

use super::{
    Kind,
    document::{Notes, join, names},
};

/// One table of a document. What is left in it when it is dropped is reported as unknown.
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

    /// Reads a value. `None` when it is not there, and when it does not fit, which is noted.
    pub fn read<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<T> {
        let value = self.take(key)?;
        self.parse(&self.key(key), &value, kind)
    }

    /// Reads a value that must be there. `None` when it is not or does not fit, which is noted.
    pub fn require<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<T> {
        match self.take(key) {
            Some(value) => self.parse(&self.key(key), &value, kind),
            None => {
                self.problem(key, format!("is missing; use {}", kind.expected));
                None
            }
        }
    }

    /// Reads a table of values whose keys are the user's own, in the order of their keys.
    pub fn entries<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Vec<(String, T)> {
        let path = self.key(key);
        let table = self.take_table(key);
        let parse = |(name, value): (String, Value)| {
            self.parse(&join(&path, &name), &value, kind).map(|value| (name, value))
        };
        table.into_iter().filter_map(parse).collect()
    }

    /// Takes the table at `key`; an empty one when it is not there.
    pub fn section(&mut self, key: &'static str) -> Self {
        let table = self.take_table(key);
        self.below(self.key(key), table)
    }

    /// Takes the tables of the array at `key`.
    pub fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let path = self.key(key);
        let elements = match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(elements)) => elements,
            Some(_) => {
                self.problem(key, format!("is not a list of tables; use [[{path}]] in the file"));
                Vec::new()
            }
        };
        let mut sections = Vec::new();
        for (number, element) in elements.into_iter().enumerate() {
            let below = format!("{path}[{number}]");
            match element {
                Value::Table(table) => sections.push(self.below(below, table)),
                _ => self.notes.add(&below, format!("is not a table; use [[{path}]]")),
            }
        }
        sections
    }

    /// Takes the tables below `key`, whose names are the user's own.
    pub fn named_sections(&mut self, key: &'static str) -> Vec<(String, Self)> {
        let path = self.key(key);
        let mut sections = Vec::new();
        for (name, value) in self.take_table(key) {
            let below = join(&path, &name);
            match value {
                Value::Table(table) => sections.push((name, self.below(below, table))),
                _ => self.notes.add(&below, format!("is not a table; use [{below}]")),
            }
        }
        sections
    }

    /// Notes that the value at `key` will not do. `what` says why, and what would.
    pub fn problem(&self, key: &str, what: impl Into<String>) {
        self.notes.add(&self.key(key), what.into());
    }

    fn key(&self, key: &str) -> String {
        join(&self.path, key)
    }

    fn below(&self, path: String, table: Table) -> Self {
        Self::new(Rc::clone(&self.notes), path, table)
    }

    /// A key that only variables have put there is spelled as in the first of them.
    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        if let Some(value) = self.table.remove(key) {
            return Some(value);
        }
        let spelled = self.table.keys().find(|spelled| {
            names(spelled, key) && self.notes.is_variable(&join(&self.path, spelled))
        })?;
        let spelled = spelled.clone();
        self.notes.respell(&join(&self.path, &spelled), &self.key(key));
        self.table.remove(&spelled)
    }

    fn take_table(&mut self, key: &'static str) -> Table {
        match self.take(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.problem(key, format!("is not a table; use the keys of [{}]", self.key(key)));
                Table::new()
            }
        }
    }

    fn parse<T>(&self, path: &str, value: &Value, kind: &Kind<T>) -> Option<T> {
        let untyped = || value.as_str().filter(|_| self.notes.is_variable(path))?.parse().ok();
        // A variable is always text; what it spells may be a number or a flag.
        let parsed = (kind.parse)(value).or_else(|| (kind.parse)(&untyped()?));
        if parsed.is_none() {
            // TOML would write a text of several lines as such.
            let value =
                value.as_str().map_or_else(|| value.to_string(), |text| format!("{text:?}"));
            self.notes.add(path, format!("{value} will not do; use {}", kind.expected));
        }
        parsed
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        let what = format!("is not a setting; known here: {}", self.known.join(", "));
        for key in self.table.keys() {
            self.notes.add_everywhere(&self.key(key), &what);
        }
    }
}
