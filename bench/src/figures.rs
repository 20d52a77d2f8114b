//! The result of one measurement: numbers whose names include the unit.

use serde_json::{Map, Value};

/// Figures by name, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures(Vec<(&'static str, f64)>);

impl Figures {
    pub(crate) fn add(&mut self, name: &'static str, value: f64) {
        self.0.push((name, value));
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    pub(crate) fn to_json(&self) -> Value {
        let entries = self.0.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
        Value::Object(entries.collect::<Map<_, _>>())
    }
}
