//! Reads values of a document: resolves their references, and notes what is wrong with them.

mod keys;

use std::path::Path;

pub(crate) use self::keys::{Key, Meaning};
use crate::{
    note::{Notes, Severity, Spot},
    references::References,
    yaml::{Node, Value},
};

/// What reading a project needs everywhere.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The folder of the project.
    pub(crate) folder: &'a Path,
    pub(crate) references: &'a References<'a>,
    pub(crate) notes: Notes,
}

/// A text and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) spot: Spot,
}

/// A value cannot be used, and a note says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Noted;

impl Context<'_> {
    /// The value of `key`; none if it is not there, or nothing, or has no meaning.
    pub(crate) fn get(&mut self, map: &Node, key: &str) -> Option<Node> {
        self.value(map, key, Severity::Warning).ok().flatten()
    }

    /// The same for a value that its part of the project cannot do without.
    pub(crate) fn needed(&mut self, map: &Node, key: &str) -> Result<Option<Node>, Noted> {
        self.value(map, key, Severity::Error)
    }

    fn value(&mut self, map: &Node, key: &str, severity: Severity) -> Result<Option<Node>, Noted> {
        let Some(entry) = map.entry(key) else { return Ok(None) };
        match self.references.resolve(&entry.node) {
            Ok(node) => self.untagged(key, node, severity),
            Err(unresolved) => {
                let severity = severity.min(unresolved.severity);
                self.notes.add(severity, &entry.node.spot, format!("{key}: {}", unresolved.what));
                Err(Noted)
            }
        }
    }

    fn untagged(
        &mut self,
        key: &str,
        node: Node,
        severity: Severity,
    ) -> Result<Option<Node>, Noted> {
        match &node.value {
            Value::Tagged(tag) => {
                let what = format!("{key}: {tag} is not understood; write the value itself");
                self.notes.add(severity, &node.spot, what);
                Err(Noted)
            }
            Value::Null => Ok(None),
            Value::Text(_) | Value::List(_) | Value::Map(_) => Ok(Some(node)),
        }
    }

    /// The text of `key`. Anything else is noted and ignored.
    pub(crate) fn text(&mut self, map: &Node, key: &str) -> Option<Said> {
        let node = self.get(map, key)?;
        self.as_text(key, &node, Severity::Warning).ok()
    }

    pub(crate) fn needed_text(&mut self, map: &Node, key: &str) -> Result<Option<Said>, Noted> {
        match self.needed(map, key)? {
            Some(node) => self.as_text(key, &node, Severity::Error).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn as_text(
        &mut self,
        key: &str,
        node: &Node,
        severity: Severity,
    ) -> Result<Said, Noted> {
        match node.text() {
            Some(text) => Ok(Said { text: text.trim().to_owned(), spot: node.spot.clone() }),
            None => {
                let what = format!("{key} is {}, and should be text", node.kind());
                self.notes.add(severity, &node.spot, what);
                Err(Noted)
            }
        }
    }

    /// The values of a list, or the only one; each is resolved.
    pub(crate) fn list(&mut self, map: &Node, key: &str) -> Vec<Node> {
        let Some(node) = self.get(map, key) else { return Vec::new() };
        let Value::List(list) = &node.value else { return vec![node] };
        list.iter().filter_map(|item| self.item(key, item)).collect()
    }

    /// A value within a list or a map, resolved.
    pub(crate) fn item(&mut self, key: &str, item: &Node) -> Option<Node> {
        match self.references.resolve(item) {
            Ok(node) => self.untagged(key, node, Severity::Warning).ok().flatten(),
            Err(unresolved) => {
                let what = format!("{key}: {}", unresolved.what);
                self.notes.add(unresolved.severity, &item.spot, what);
                None
            }
        }
    }

    /// The texts of a list, or the only one.
    pub(crate) fn texts(&mut self, map: &Node, key: &str) -> Vec<Said> {
        let nodes = self.list(map, key);
        let text = |node: &Node| self.as_text(key, node, Severity::Warning).ok();
        nodes.iter().filter_map(text).collect()
    }

    /// Whether `key` is `true`.
    pub(crate) fn is_on(&mut self, map: &Node, key: &str) -> bool {
        self.get(map, key).is_some_and(|node| node.text() == Some("true"))
    }
}
