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
                self.problem(key, format!("is not a list of tables; use [[{path}]]"));
                Vec::new()
            }
        };
        let mut sections = Vec::new();
        for (index, element) in elements.into_iter().enumerate() {
            match element {
                Value::Table(table) => {
                    sections.push(self.below(format!("{path}[{index}]"), table));
                }
                _ => self.problem(key, format!("has an element {index} that is not a table")),
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

    /// A key that only a variable has put there is spelled as in the variable.
    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        if let Some(value) = self.table.remove(key) {
            return Some(value);
        }
        let spelled = self.table.keys().find(|spelled| {
            names(spelled, key) && self.notes.is_variable(&join(&self.path, spelled))
        })?;
        let spelled = spelled.clone();
        self.table.remove(&spelled)
    }

    fn take_table(&mut self, key: &'static str) -> Table {
        match self.take(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.problem(key, format!("is not a table; use [{}]", self.key(key)));
                Table::new()
            }
        }
    }

    fn parse<T>(&self, path: &str, value: &Value, kind: &Kind<T>) -> Option<T> {
        let parsed = (kind.parse)(value).or_else(|| (kind.parse)(&untyped(value)?));
        if parsed.is_none() {
            self.notes.add(path, format!("{value} will not do; use {}", kind.expected));
        }
        parsed
    }
}

/// A variable is always text; what it spells may be a number or a flag.
fn untyped(value: &Value) -> Option<Value> {
    toml::from_str::<Table>(&format!("value = {}", value.as_str()?)).ok()?.remove("value")
}

impl Drop for Section {
    fn drop(&mut self) {
        for key in self.table.keys() {
            let known = self.known.join(", ");
            self.notes.add(&self.key(key), format!("is not a setting; known here: {known}"));
        }
    }
}
