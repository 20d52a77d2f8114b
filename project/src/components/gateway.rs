//! `component: apigateway`: paths that lead to functions.

use super::{Parts, endpoint::Service};
use crate::{
    context::{
        Context, Key,
        Meaning::{Fine, Idle, Missed},
        Said,
    },
    documents::Instance,
    yaml::Node,
};

const KEYS: &[Key] = &[
    ("serviceId", Fine),
    ("id", Fine),
    ("name", Fine),
    ("region", Fine),
    ("protocol", Fine),
    ("protocols", Fine),
    ("serviceName", Fine),
    ("serviceDesc", Fine),
    ("description", Fine),
    ("environment", Fine),
    ("endpoints", Fine),
    ("apis", Fine),
    ("netTypes", Fine),
    ("instanceId", Fine),
    ("enable", Fine),
    ("qualifier", Fine),
    ("namespace", Fine),
    ("function", Fine),
    ("stageName", Fine),
    ("usagePlan", Idle("there are no plans and quotas here")),
    (
        "auth",
        Missed("clients are not asked for a key pair here; set auth of the api in gateway.toml"),
    ),
    ("customDomains", Idle("clients reach the paths by any name that leads to this machine")),
    ("customDomain", Idle("clients reach the paths by any name that leads to this machine")),
];

pub(super) fn read(
    context: &mut Context<'_>,
    instance: &Instance,
    inputs: &Node,
    parts: &mut Parts,
) {
    let name = instance.key.clone();
    let name = name.or_else(|| instance.name.as_ref()?.text().map(str::to_owned));
    let name = name.filter(|name| !name.contains("${")).unwrap_or_else(|| "apigateway".to_owned());
    service(context, inputs, &name, None, parts);
    if inputs.get("endpoints").is_none() && inputs.get("apis").is_none() {
        let what = "there are no endpoints; write endpoints: with a path and a function each";
        context.notes.warning(&instance.spot, what);
    }
}

/// Reads the paths of a service, of a component or of a trigger.
pub(super) fn service(
    context: &mut Context<'_>,
    inputs: &Node,
    name: &str,
    function: Option<&Said>,
    parts: &mut Parts,
) {
    context.check_keys(inputs, KEYS, "the API gateway");
    let stage = context.text(inputs, "environment").or_else(|| context.text(inputs, "stageName"));
    let service = Service {
        name,
        stage: stage.map_or_else(|| "release".to_owned(), |stage| stage.text),
        is_websocket: context.asks_for_websocket(inputs),
        function,
    };
    for key in ["endpoints", "apis"] {
        for node in context.list(inputs, key) {
            context.endpoint(&node, &service, parts);
        }
    }
}
