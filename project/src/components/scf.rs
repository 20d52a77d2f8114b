//! `component: scf`: one function.

use super::{Parts, function_name, triggers};
use crate::{
    context::{Context, Said},
    documents::{Document, Instance},
    functions::{Description, FUNCTION_KEYS},
    yaml::Node,
};

const RUNTIME_DEFAULT: &str = "Nodejs10.15";
const TIMEOUT_DEFAULT: u64 = 3;

pub(super) fn read(
    context: &mut Context<'_>,
    document: &Document,
    instance: &Instance,
    inputs: &Node,
    parts: &mut Parts,
) {
    context.check_keys(inputs, FUNCTION_KEYS, "a function");
    parts.add_regions(context, inputs);
    let written = inputs.get("name").or_else(|| inputs.get("functionName"));
    let Some(name) = function_name(context, document, instance, written) else { return };
    if is_event_function(context, inputs, &name) {
        let function = context.source(inputs, document.folder(), &name).and_then(|source| {
            context.function(Description {
                name: name.clone(),
                inputs,
                source,
                runtime_default: RUNTIME_DEFAULT,
                timeout_default: TIMEOUT_DEFAULT,
                entry: None,
            })
        });
        parts.add_function(context, &name, function);
    } else {
        parts.broken.push(name.text.clone());
    }
    if !context.is_on(inputs, "ignoreTriggers") {
        triggers::of_function(context, inputs, &name, parts);
    }
}

/// Whether it is called with events. Web functions and images are noted.
pub(super) fn is_event_function(context: &mut Context<'_>, inputs: &Node, name: &Said) -> bool {
    if let Some(kind) = context.text(inputs, "type")
        && kind.text.eq_ignore_ascii_case("web")
    {
        let what = format!("{} is a web function, which is not served here", name.text);
        context.notes.warning(&kind.spot, what);
        return false;
    }
    if let Some(image) = inputs.entry("image").filter(|image| !image.node.is_null()) {
        let what = format!(
            "{} runs in an image, which is not pulled here; run the container yourself and give its \
             URL as the function in gateway.toml",
            name.text
        );
        context.notes.error(&image.spot, what);
        return false;
    }
    true
}
