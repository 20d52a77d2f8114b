//! A function of a SAM template.

use super::{Parts, function_name};
use crate::{
    context::Context,
    documents::{Document, Instance},
    functions::{Description, FUNCTION_KEYS},
    yaml::{Entry, Node, Value},
};

const RUNTIME_DEFAULT: &str = "Python3.6";
const TIMEOUT_DEFAULT: u64 = 3;

pub(super) fn read(
    context: &mut Context<'_>,
    document: &Document,
    instance: &Instance,
    properties: &Node,
    parts: &mut Parts,
) {
    let general = document.root.get("Globals").and_then(|globals| globals.get("Function"));
    let inputs = renamed(&with(properties, general));
    context.check_keys(&inputs, FUNCTION_KEYS, "a function");
    let written = properties.get("FunctionName");
    let Some(name) = function_name(context, document, instance, written) else { return };
    let function = context.source(&inputs, document.folder(), &name).and_then(|source| {
        context.function(Description {
            name: name.clone(),
            inputs: &inputs,
            source,
            runtime_default: RUNTIME_DEFAULT,
            timeout_default: TIMEOUT_DEFAULT,
            entry: None,
        })
    });
    parts.add_function(context, &name, function);
    let Some(events) = context.get(&inputs, "events") else { return };
    for entry in events.entries() {
        let kind = entry.node.get("Type").and_then(Node::text).unwrap_or("no Type");
        let what = format!("the event {} of {} is not served here: {kind}", entry.key, name.text);
        context.notes.warning(&entry.spot, what);
    }
}

/// The properties, and those of all functions that it has not.
fn with(properties: &Node, general: Option<&Node>) -> Node {
    let general = general.map(Node::entries).unwrap_or_default();
    let missing = general.iter().filter(|entry| properties.get(&entry.key).is_none());
    let entries = properties.entries().iter().chain(missing).cloned().collect();
    Node { value: Value::Map(entries), spot: properties.spot.clone() }
}

/// The same with keys as the component `scf` names them: `CodeUri` is `codeUri`.
fn renamed(properties: &Node) -> Node {
    let entry = |entry: &Entry| {
        let mut letters = entry.key.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        let key: String = first.into_iter().chain(letters).collect();
        let node = if key == "environment" { renamed(&entry.node) } else { entry.node.clone() };
        Entry { key: key.into(), spot: entry.spot.clone(), node }
    };
    match &properties.value {
        Value::Map(entries) => Node {
            value: Value::Map(entries.iter().map(entry).collect()),
            spot: properties.spot.clone(),
        },
        Value::Null | Value::Text(_) | Value::List(_) | Value::Tagged(_) => properties.clone(),
    }
}
