//! The keys that a map may have, and what is said about those that have no effect here.

use super::Context;
use crate::{
    nearest::perhaps,
    note::Severity,
    yaml::{Node, Value},
};

/// What a key means here.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meaning {
    /// It is read, or it makes no difference.
    Fine,
    /// It has no effect, and nothing goes wrong because of that.
    Idle(&'static str),
    /// It has no effect, and something may go wrong because of that.
    Missed(&'static str),
}

/// A key and its meaning.
pub(crate) type Key = (&'static str, Meaning);

impl Context<'_> {
    /// Notes the keys of `map` that have no effect here. `what` is the map, in words.
    pub(crate) fn check_keys(&mut self, map: &Node, known: &[Key], what: &str) {
        for entry in map.entries().iter().filter(|entry| !is_off(&entry.node)) {
            if self.notes.is_full() {
                return;
            }
            let meaning = known.iter().find(|(key, _)| *key == &*entry.key);
            let (severity, text) = match meaning.map(|(_, meaning)| meaning) {
                Some(Meaning::Fine) => continue,
                Some(Meaning::Idle(text)) => (Severity::Info, format!("{}: {text}", entry.key)),
                Some(Meaning::Missed(text)) => {
                    (Severity::Warning, format!("{}: {text}", entry.key))
                }
                None => {
                    let perhaps = perhaps(&entry.key, known.iter().map(|(key, _)| *key));
                    let key = &entry.key;
                    let text = format!("{key} is ignored: it is no known key of {what}{perhaps}");
                    (Severity::Warning, text)
                }
            };
            self.notes.add(severity, &entry.spot, text);
        }
    }
}

/// Whether a value asks for nothing.
fn is_off(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Text(text) => matches!(&**text, "" | "false" | "0"),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Tagged(_) => false,
    }
}
