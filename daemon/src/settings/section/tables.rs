//! Tables inside of a section.

use std::rc::Rc;

use toml::{Table, Value};

use super::{
    super::{Kind, notes::join},
    Section,
};

impl Section {
    /// Takes the table at `key`; an empty one when it is not there.
    pub fn section(&mut self, key: &'static str) -> Self {
        let table = self.take_table(key);
        self.below(self.key(key), table)
    }

    /// Takes the tables of the list at `key`.
    pub fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let path = self.key(key);
        if self.notes.is_description() {
            return vec![self.below(format!("{path}[]"), Table::new())];
        }
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
        if self.notes.is_description() {
            let name = "<name>".to_owned();
            let section = self.below(join(&path, &name), Table::new());
            return vec![(name, section)];
        }
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

    /// Takes the tables that have a `key`, and returns their names.
    pub fn take_tables_with(&mut self, key: &str) -> Vec<String> {
        let has = |value: &Value| value.as_table().is_some_and(|table| table.contains_key(key));
        let found = self.table.iter().filter(|(_, value)| has(value));
        let found: Vec<_> = found.map(|(name, _)| name.clone()).collect();
        for name in &found {
            self.table.remove(name);
        }
        found
    }

    /// Whether nothing is left that was not read.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Reads a table of values whose keys are the user's own, in the order of the keys.
    pub fn entries<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Vec<(String, T)> {
        let path = self.key(key);
        self.notes.add_key(&path, "<key>", kind.values(), "none");
        let table = self.take_table(key);
        let parse = |(name, value): (String, Value)| {
            self.parse(&join(&path, &name), &value, kind).map(|value| (name, value))
        };
        table.into_iter().filter_map(parse).collect()
    }

    fn below(&self, path: String, table: Table) -> Self {
        Self::new(Rc::clone(&self.notes), path, table)
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
}
