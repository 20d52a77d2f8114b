//! The events that call a function. Only those of a WebSocket are served.

use std::collections::BTreeMap;

use super::{Parts, gateway};
use crate::{
    context::{Context, Said},
    note::Spot,
    yaml::{Entry, Node},
};

/// `events` of one function: a list of maps with one key each.
pub(super) fn of_function(
    context: &mut Context<'_>,
    inputs: &Node,
    name: &Said,
    parts: &mut Parts,
) {
    for key in ["events", "triggers"] {
        for event in context.list(inputs, key) {
            if let Some(kind) = event.get("type").and_then(Node::text) {
                let kind = kind.to_owned();
                trigger(context, &kind, &event.spot, Some(&event), name, parts);
                continue;
            }
            for Entry { key, spot, node } in event.entries() {
                let event = context.item(key, node);
                trigger(context, key, spot, event.as_ref(), name, parts);
            }
        }
    }
}

fn trigger(
    context: &mut Context<'_>,
    kind: &str,
    spot: &Spot,
    event: Option<&Node>,
    name: &Said,
    parts: &mut Parts,
) {
    if kind.eq_ignore_ascii_case("apigw") || kind.eq_ignore_ascii_case("apigateway") {
        let inputs = event.and_then(|event| context.get(event, "parameters"));
        if let Some(inputs) = inputs.as_ref().or(event) {
            gateway::service(context, inputs, &name.text, Some(name), parts);
        }
        return;
    }
    let what = format!("the trigger {kind} of {} is not served here", name.text);
    context.notes.warning(spot, what);
}

/// `triggers` of several functions, which they name by their keys.
pub(super) fn of_functions(
    context: &mut Context<'_>,
    inputs: &Node,
    names: &BTreeMap<String, String>,
    parts: &mut Parts,
) {
    for event in context.list(inputs, "triggers") {
        let Some(kind) = context.text(&event, "type") else {
            context.notes.warning(&event.spot, "this trigger has no type, and is ignored");
            continue;
        };
        let own = context.text(&event, "function").map(|own| named(own, names));
        if kind.text != "apigw" {
            let of = own.map(|own| format!(" of {}", own.text)).unwrap_or_default();
            let what = format!("the trigger {}{of} is not served here", kind.text);
            context.notes.warning(&kind.spot, what);
            continue;
        }
        let Some(parameters) = context.get(&event, "parameters") else { continue };
        let before = parts.endpoints.len();
        gateway::service(context, &parameters, "apigw", own.as_ref(), parts);
        for endpoint in &mut parts.endpoints[before..] {
            let functions = [&mut endpoint.register, &mut endpoint.cleanup].into_iter().flatten();
            for said in functions.chain([&mut endpoint.transmit]) {
                *said = named(said.clone(), names);
            }
        }
    }
}

fn named(said: Said, names: &BTreeMap<String, String>) -> Said {
    let text = names.get(&said.text).cloned().unwrap_or(said.text);
    Said { text, spot: said.spot }
}
