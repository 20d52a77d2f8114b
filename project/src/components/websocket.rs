//! `component: websocket`: one function of Node for all events, behind a shim.

use std::time::Duration;

use super::{Endpoint, Parts, function_name};
use crate::{
    context::{
        Context, Key,
        Meaning::{Fine, Idle, Missed},
        Noted, Said,
    },
    documents::{Document, Instance},
    functions::{Description, FUNCTION_KEYS, Source, joined, seconds},
    model::Function,
    yaml::{Node, Value},
};

const ENTRY_DEFAULT: &str = "sls.js";
/// The one of the first versions.
const ENTRY_OLDER: &str = "app.js";
const RUNTIME_DEFAULT: &str = "Nodejs10.15";
const TIMEOUT_DEFAULT: u64 = 10;

const INPUTS: &[Key] = &[
    ("src", Fine),
    ("srcOriginal", Fine),
    ("region", Fine),
    ("entryFile", Fine),
    ("faas", Fine),
    ("apigw", Fine),
    ("code", Fine),
    ("functionName", Fine),
    ("functionConf", Fine),
    ("apigatewayConf", Fine),
    ("serviceId", Fine),
    ("serviceName", Fine),
    ("runtime", Fine),
    ("exclude", Fine),
    ("include", Fine),
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
    ("serviceTimeout", Fine),
    ("protocol", Fine),
    ("serviceId", Fine),
    ("serviceName", Fine),
    ("serviceDesc", Fine),
    ("enableCORS", Fine),
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
    // The second names are those of older versions.
    let mut either = |keys: [&str; 2]| {
        let found = keys.iter().find_map(|key| context.get(inputs, key));
        found.unwrap_or_else(|| empty.clone())
    };
    let faas = either(["faas", "functionConf"]);
    let gateway = either(["apigw", "apigatewayConf"]);
    context.check_keys(&faas, FUNCTION_KEYS, "faas");
    context.check_keys(&gateway, GATEWAY, "apigw");
    let written = faas.get("name").or_else(|| inputs.get("functionName"));
    let Some(name) = function_name(context, document, instance, written) else { return };
    let source = context.source(inputs, document.folder(), &name);
    let function = source.and_then(|source| function(context, inputs, &faas, source, &name));
    parts.add_function(context, &name, function);
    if !context.is_on(&gateway, "isDisabled") {
        let endpoint = endpoint(context, &gateway, name, instance);
        parts.endpoints.push(endpoint);
    }
}

fn function(
    context: &mut Context<'_>,
    inputs: &Node,
    faas: &Node,
    source: Source,
    name: &Said,
) -> Result<Function, Noted> {
    let entry = entry(context, inputs, &source, name);
    // A function with a handler of its own needs no shim.
    let has_shim = faas.get("handler").is_none_or(Node::is_null);
    let mut function = context.function(Description {
        name: name.clone(),
        inputs: faas,
        source,
        runtime_default: RUNTIME_DEFAULT,
        timeout_default: TIMEOUT_DEFAULT,
        entry: has_shim.then(|| entry.clone()),
    })?;
    // The function may set them itself.
    for (key, value) in [("SERVERLESS", "1"), ("SLS_ENTRY_FILE", &entry.text)] {
        function.environment.entry(key.to_owned()).or_insert_with(|| value.to_owned());
    }
    Ok(function)
}

/// The file that the shim loads.
fn entry(context: &mut Context<'_>, inputs: &Node, source: &Source, name: &Said) -> Said {
    if let Some(entry) = context.text(inputs, "entryFile") {
        return entry;
    }
    let code = context.folder.join(joined(&source.from, &source.said.text));
    let is_older = !code.join(ENTRY_DEFAULT).is_file() && code.join(ENTRY_OLDER).is_file();
    let file = if is_older { ENTRY_OLDER } else { ENTRY_DEFAULT };
    Said { text: file.to_owned(), spot: name.spot.clone() }
}

/// All events lead to the one function.
fn endpoint(
    context: &mut Context<'_>,
    gateway: &Node,
    name: Said,
    instance: &Instance,
) -> Endpoint {
    let stage = context.text(gateway, "environment").map(|stage| stage.text);
    Endpoint {
        name: name.text.clone(),
        path: Said { text: "/".to_owned(), spot: instance.spot.clone() },
        stage: stage.unwrap_or_else(|| "release".to_owned()),
        transmit: name.clone(),
        register: Some(name.clone()),
        cleanup: Some(name),
        timeout: timeout(context, gateway),
        id: None,
    }
}

/// How long a call may take, by its newer or its older name.
fn timeout(context: &mut Context<'_>, gateway: &Node) -> Duration {
    let key = ["timeout", "serviceTimeout"].into_iter().find(|key| gateway.get(key).is_some());
    seconds(context, gateway, key.unwrap_or("timeout"), 15)
}
