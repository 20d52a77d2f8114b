//! Reads the components of a project, each into the parts that it has.

mod bucket;
mod endpoint;
mod gateway;
mod multi_scf;
mod resource;
mod scf;
mod triggers;
mod website;
mod websocket;

use crate::{
    context::{Context, Said},
    documents::{Component, Document, Instance},
    model::{Function, Website},
    nearest::perhaps,
    yaml::{Node, Value},
};

pub(crate) use self::{bucket::NamedBucket, endpoint::Endpoint};

/// The parts of all components of a project.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) functions: Vec<Function>,
    /// The names of functions that are described and cannot run.
    pub(crate) broken: Vec<String>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) buckets: Vec<NamedBucket>,
    pub(crate) websites: Vec<Website>,
    pub(crate) regions: Vec<Said>,
}

/// How many functions are read. Each looks for files.
const FUNCTIONS_MAX: usize = 500;

/// Reads all instances of all documents.
pub(crate) fn parts(context: &mut Context<'_>) -> Parts {
    let mut parts = Parts::default();
    for document in context.references.documents() {
        for instance in &document.instances {
            if parts.functions.len() + parts.broken.len() > FUNCTIONS_MAX {
                let what = format!("only the first {FUNCTIONS_MAX} functions are read");
                context.notes.error(&instance.spot, what);
                return parts;
            }
            let empty = Node { value: Value::Null, spot: instance.spot.clone() };
            let inputs = instance.inputs.as_ref().map(|inputs| context.item("inputs", inputs));
            let inputs = inputs.flatten().unwrap_or(empty);
            if inputs.is_null() || inputs.is_map() {
                read(context, document, instance, &inputs, &mut parts);
            } else {
                let what = format!("inputs is {}, and should be a map", inputs.kind());
                context.notes.error(&inputs.spot, what);
            }
        }
    }
    parts
}

fn read(
    context: &mut Context<'_>,
    document: &Document,
    instance: &Instance,
    inputs: &Node,
    parts: &mut Parts,
) {
    let written = &instance.written;
    match instance.component {
        Component::Function => scf::read(context, document, instance, inputs, parts),
        Component::Functions => multi_scf::read(context, document, instance, inputs, parts),
        Component::Gateway => gateway::read(context, instance, inputs, parts),
        Component::WebSocket => websocket::read(context, document, instance, inputs, parts),
        Component::Bucket => bucket::read(context, inputs, instance, parts),
        Component::Website => website::read(context, document, instance, inputs, parts),
        Component::Resource => resource::read(context, document, instance, inputs, parts),
        Component::Global => {}
        Component::WebServer => {
            let what = format!("component {written} is a web server, which is not served here");
            context.notes.warning(&instance.spot, what);
        }
        Component::Absent => {
            let what = format!("component {written} is not there here, and is ignored");
            context.notes.warning(&instance.spot, what);
        }
        Component::Unknown => {
            let perhaps = perhaps(&Component::short(written), Component::names());
            let what = format!("component {written:?} is not known, and is ignored{perhaps}");
            context.notes.error(&instance.spot, what);
        }
    }
}

impl Parts {
    /// Adds the regions that `inputs` names.
    fn add_regions(&mut self, context: &mut Context<'_>, inputs: &Node) {
        let regions = context.texts(inputs, "region");
        self.regions.extend(regions.into_iter().filter(|region| !region.text.is_empty()));
    }

    /// Adds a function unless it cannot run, or its name is taken. Says whether it can run.
    fn add_function(
        &mut self,
        context: &mut Context<'_>,
        name: &Said,
        read: Result<Function, crate::context::Noted>,
    ) {
        let Ok(function) = read else {
            self.broken.push(name.text.clone());
            return;
        };
        match self.functions.iter().find(|other| other.name == function.name) {
            Some(first) => {
                let what = format!(
                    "the function {} is there twice; first at {}: give this one another name",
                    function.name, first.place
                );
                context.notes.error(&name.spot, what);
            }
            None => self.functions.push(function),
        }
    }
}

/// The name of the function of an instance, and where it stands.
fn function_name(
    context: &mut Context<'_>,
    document: &Document,
    instance: &Instance,
    written: Option<&Node>,
) -> Option<Said> {
    let spot = written.map_or(&instance.spot, |node| &node.spot).clone();
    match context.references.name_of(document, instance) {
        Ok(text) => Some(Said { text, spot }),
        Err(unresolved) => {
            context.notes.error(&spot, format!("name: {}", unresolved.what));
            None
        }
    }
}
