//! Makes a tree of the parser's events.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use granit_parser::{Event, ScalarStyle, Tag};

use super::node::{Entry, Node, Value};
use crate::note::Spot;

/// A list or map that has begun.
struct Open {
    spot: Spot,
    anchor: usize,
    tag: Option<String>,
    nodes_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, keys: HashMap<Arc<str>, usize>, key: Option<(Arc<str>, Spot)> },
}

/// An anchored node, and how many nodes it is.
struct Anchored {
    node: Node,
    nodes: usize,
}

pub(super) struct Builder<'a> {
    file: &'a Arc<Path>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Node>,
    is_complete: bool,
    nodes: usize,
    nodes_max: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(file: &'a Arc<Path>, nodes_max: usize) -> Self {
        let (open, anchors) = (Vec::new(), HashMap::new());
        Self { file, open, anchors, root: None, is_complete: false, nodes: 0, nodes_max }
    }

    /// Whether the first document has ended.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn finish(self) -> Option<Node> {
        self.root.filter(|root| !root.is_null())
    }

    /// Adds an event of `line`. The error is what is wrong with the document.
    pub(super) fn add(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        let spot = Spot { file: self.file.clone(), line };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1)?;
                let value = scalar(&text, style, tag.as_deref());
                self.put(Node { value, spot }, anchor, 1)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(spot, anchor, tag.as_deref(), Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), keys: HashMap::new(), key: None };
                self.begin(spot, anchor, tag.as_deref(), content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(id) => {
                // An anchor that has not ended would have a node within itself.
                let Some(Anchored { node, nodes }) = self.anchors.get(&id) else {
                    return Err("an alias is within what it repeats".to_owned());
                };
                let (node, nodes) = (node.clone(), *nodes);
                self.count(nodes)?;
                self.put(node, 0, nodes)
            }
            Event::DocumentEnd => {
                self.is_complete = self.root.is_some();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.nodes_max {
            let max = self.nodes_max;
            return Err(format!(
                "the document has more than {max} values, with those that aliases repeat"
            ));
        }
        Ok(())
    }

    fn begin(
        &mut self,
        spot: Spot,
        anchor: usize,
        tag: Option<&Tag>,
        content: Content,
    ) -> Result<(), String> {
        self.count(1)?;
        let nodes_before = self.nodes - 1;
        self.open.push(Open { spot, anchor, tag: own_tag(tag), nodes_before, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match (open.tag, open.content) {
            (Some(tag), _) => Value::Tagged(tag.into()),
            (None, Content::List(nodes)) => Value::List(nodes.into()),
            (None, Content::Map { entries, .. }) => Value::Map(merged(entries).into()),
        };
        let nodes = self.nodes - open.nodes_before;
        self.put(Node { value, spot: open.spot }, open.anchor, nodes)
    }

    /// Puts a node that is complete into the list or map that is open.
    fn put(&mut self, node: Node, anchor: usize, nodes: usize) -> Result<(), String> {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes });
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(list)) => list.push(node),
            Some(Content::Map { entries, keys, key }) => match key.take() {
                None => *key = Some((key_of(&node)?, node.spot)),
                Some((name, spot)) => {
                    if let Some(line) = keys.insert(name.clone(), spot.line)
                        && &*name != MERGE
                    {
                        return Err(format!(
                            "the key {name:?} is there twice; first in line {line}"
                        ));
                    }
                    entries.push(Entry { key: name, spot, node });
                }
            },
        }
        Ok(())
    }
}

/// The key of YAML 1.1 whose value is merged into the map.
const MERGE: &str = "<<";

/// Has the entries of the maps of `<<` that have no entry of their own.
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let is_merge = |entry: &Entry| &*entry.key == MERGE;
    if !entries.iter().any(is_merge) {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_merge);
    let mut keys: HashSet<_> = own.iter().map(|entry| entry.key.clone()).collect();
    for merge in merges {
        let maps = match &merge.node.value {
            Value::List(maps) => maps.to_vec(),
            _ => vec![merge.node],
        };
        for entry in maps.iter().flat_map(Node::entries) {
            if keys.insert(entry.key.clone()) {
                own.push(entry.clone());
            }
        }
    }
    own
}

fn key_of(node: &Node) -> Result<Arc<str>, String> {
    match &node.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Null => Ok("null".into()),
        Value::List(_) | Value::Map(_) | Value::Tagged(_) => {
            Err(format!("a key is {}; use text", node.kind()))
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    if let Some(tag) = own_tag(tag) {
        return Value::Tagged(tag.into());
    }
    let is_plain = style == ScalarStyle::Plain && tag.is_none();
    if is_plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Text(text.into())
}

/// The tag, if it is none of YAML's own.
fn own_tag(tag: Option<&Tag>) -> Option<String> {
    tag.filter(|tag| !tag.is_yaml_core_schema() && tag.original() != "!").map(Tag::original)
}
