//! `component: multi-scf`: several functions with values in common.

use std::collections::BTreeMap;

use super::{Parts, scf::is_event_function, triggers};
use crate::{
    context::{Context, Key, Meaning::Fine, Said},
    documents::{Document, Instance},
    functions::{Description, FUNCTION_KEYS, Source, joined},
    yaml::{Entry, Node, Value},
};

const RUNTIME_DEFAULT: &str = "Nodejs12.16";
const TIMEOUT_DEFAULT: u64 = 3;

pub(super) fn read(
    context: &mut Context<'_>,
    document: &Document,
    instance: &Instance,
    inputs: &Node,
    parts: &mut Parts,
) {
    let known: Vec<Key> = FUNCTION_KEYS.iter().copied().chain([("functions", Fine)]).collect();
    context.check_keys(inputs, &known, "multi-scf");
    parts.add_regions(context, inputs);
    let here = Said { text: String::new(), spot: instance.spot.clone() };
    let Ok(common) = context.source(inputs, document.folder(), &here) else { return };
    let mut names = BTreeMap::new();
    for (key, function) in functions(context, inputs, instance) {
        context.check_keys(&function, FUNCTION_KEYS, "a function");
        let Some(name) = name_of(context, document, instance, &key, &function) else { continue };
        names.insert(key.text, name.text.clone());
        let own = match context.text(&function, "src") {
            Some(own) => Source { from: joined(&common.from, &common.said.text), said: own },
            None => common.clone(),
        };
        let merged = merged(&function, inputs);
        if is_event_function(context, &merged, &name) {
            let read = context.function(Description {
                name: name.clone(),
                inputs: &merged,
                source: own,
                runtime_default: RUNTIME_DEFAULT,
                timeout_default: TIMEOUT_DEFAULT,
                entry: None,
            });
            parts.add_function(context, &name, read);
        } else {
            parts.broken.push(name.text);
        }
    }
    if !context.is_on(inputs, "ignoreTriggers") {
        triggers::of_functions(context, inputs, &names, parts);
    }
}

/// The functions by their keys; those of a list have their names as keys.
fn functions(context: &mut Context<'_>, inputs: &Node, instance: &Instance) -> Vec<(Said, Node)> {
    let Some(functions) = context.get(inputs, "functions") else {
        let what = "there are no functions; write functions: and a key for each";
        context.notes.error(&instance.spot, what);
        return Vec::new();
    };
    let mut found = Vec::new();
    match &functions.value {
        Value::Map(entries) => {
            for entry in entries.iter() {
                // A function may have nothing of its own.
                let node = context.item(&entry.key, &entry.node);
                let node = node.unwrap_or_else(|| entry.node.clone());
                found.push((Said { text: entry.key.to_string(), spot: entry.spot.clone() }, node));
            }
        }
        Value::List(list) => {
            for item in list.iter() {
                let Some(node) = context.item("functions", item) else { continue };
                match context.text(&node, "name").or_else(|| context.text(&node, "key")) {
                    Some(name) => found.push((name, node)),
                    None => context.notes.error(&item.spot, "this function has no name"),
                }
            }
        }
        Value::Null | Value::Text(_) | Value::Tagged(_) => {
            let what = format!("functions is {}, and should be a map", functions.kind());
            context.notes.error(&functions.spot, what);
        }
    }
    found
}

/// `<name>-<stage>-<app>-<key>`, unless the function has a name of its own.
fn name_of(
    context: &mut Context<'_>,
    document: &Document,
    instance: &Instance,
    key: &Said,
    function: &Node,
) -> Option<Said> {
    if let Some(name) = context.needed_text(function, "name").ok()? {
        return Some(name);
    }
    if instance.key.is_some() {
        return Some(key.clone());
    }
    match context.references.full_name(document) {
        Ok(full) => Some(Said { text: format!("{full}-{}", key.text), spot: key.spot.clone() }),
        Err(unresolved) => {
            context.notes.error(&key.spot, format!("name: {}", unresolved.what));
            None
        }
    }
}

/// The values of a function, and those of all that it has not. What the project does with all of
/// them together is no value of one.
fn merged(function: &Node, common: &Node) -> Node {
    const OF_ALL: [&str; 6] = ["functions", "triggers", "name", "src", "codeUri", "handler"];
    let is_missing =
        |entry: &&Entry| function.get(&entry.key).is_none() && !OF_ALL.contains(&&*entry.key);
    let entries = function.entries().iter().chain(common.entries().iter().filter(is_missing));
    Node { value: Value::Map(entries.cloned().collect()), spot: function.spot.clone() }
}
