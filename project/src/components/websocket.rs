//! `component: websocket`: one function of Node for all events, behind a shim.

use std::collections::BTreeMap;

use super::{Endpoint, Parts, function_name};
use crate::{
    context::{
        Context, Key,
        Meaning::{Fine, Idle, Missed},
        Said,
    },
    documents::{Document, Instance},
    functions::{Description, FUNCTION_KEYS, seconds},
    yaml::{Node, Value},
};

const ENTRY_DEFAULT: &str = "sls.js";
const RUNTIME_DEFAULT: &str = "Nodejs10.15";
const TIMEOUT_DEFAULT: u64 = 10;

const INPUTS: &[Key] = &[
    ("src", Fine),
    ("srcOriginal", Fine),
    ("region", Fine),
    ("entryFile", Fine),
    ("faas", Fine),
    ("apigw", Fine),
];
const GATEWAY: &[Key] = &[
    ("isDisabled", Fine),
    ("id", Fine),
    ("name", Fine),
    ("description", Fine),
    ("cors", Fine),
    ("protocols", Fine),
    ("environment", Fine),
    ("timeout", Fine),
    ("qualifier", Fine),
    ("usagePlan", Idle("there are no plans and quotas here")),
    (
        "auth",
        Missed("clients are not asked for a key pair here; set auth of the api in gateway.toml"),
    ),
    ("customDomains", Idle("clients reach the paths by any name that leads to this machine")),
];

pub(super) fn read(
    context: &mut Context<'_>,
    document: &Document,
    instance: &Instance,
    inputs: &Node,
    parts: &mut Parts,
) {
    let empty = Node { value: Value::Map([].into()), spot: instance.spot.clone() };
    context.check_keys(inputs, INPUTS, "the component websocket");
    parts.add_regions(context, inputs);
    let faas = context.get(inputs, "faas").unwrap_or_else(|| empty.clone());
    let gateway = context.get(inputs, "apigw").unwrap_or(empty);
    context.check_keys(&faas, FUNCTION_KEYS, "faas");
    context.check_keys(&gateway, GATEWAY, "apigw");
    let Some(name) = function_name(context, document, instance, faas.get("name")) else { return };
    let entry = context
        .text(inputs, "entryFile")
        .unwrap_or_else(|| Said { text: ENTRY_DEFAULT.to_owned(), spot: name.spot.clone() });
    let function = context.source(inputs, document.folder(), &name).and_then(|source| {
        context.function(Description {
            name: name.clone(),
            inputs: &faas,
            source,
            runtime_default: RUNTIME_DEFAULT,
            timeout_default: TIMEOUT_DEFAULT,
            entry: Some(entry.clone()),
        })
    });
    let function = function.map(|mut function| {
        let given = BTreeMap::from([
            ("SERVERLESS".to_owned(), "1".to_owned()),
            ("SLS_ENTRY_FILE".to_owned(), entry.text),
        ]);
        // The function may set them itself.
        for (key, value) in given {
            function.environment.entry(key).or_insert(value);
        }
        function
    });
    parts.add_function(context, &name, function);
    if context.is_on(&gateway, "isDisabled") {
        return;
    }
    let stage = context.text(&gateway, "environment").map(|stage| stage.text);
    parts.endpoints.push(Endpoint {
        name: name.text.clone(),
        path: Said { text: "/".to_owned(), spot: instance.spot.clone() },
        stage: stage.unwrap_or_else(|| "release".to_owned()),
        transmit: name.clone(),
        register: Some(name.clone()),
        cleanup: Some(name),
        timeout: seconds(context, &gateway, "timeout", 15),
        id: None,
    });
}
