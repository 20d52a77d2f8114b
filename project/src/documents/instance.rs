//! An instance of a component.

use crate::{
    documents::component::Component,
    files::Form,
    note::{Notes, Spot},
    yaml::Node,
};

/// One component with its inputs. References in it are not resolved yet.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) component: Component,
    /// The component as the document writes it.
    pub(crate) written: String,
    /// The key of a map of components; none in a document that is one instance.
    pub(crate) key: Option<String>,
    /// The name of a document that is one instance.
    pub(crate) name: Option<Node>,
    pub(crate) inputs: Option<Node>,
    pub(crate) spot: Spot,
}

/// Finds the instances of a document. The second value is whether they have keys of their own.
pub(super) fn instances(root: &Node, form: Form, notes: &mut Notes) -> (Vec<Instance>, bool) {
    match form {
        Form::Template => (resources(root, notes), true),
        Form::Serverless => match root.entry("component") {
            Some(entry) => (vec![single(root, &entry.spot, &entry.node)], false),
            None => (keyed(root, notes), true),
        },
    }
}

fn single(root: &Node, spot: &Spot, component: &Node) -> Instance {
    let written = component.text().unwrap_or_default().to_owned();
    Instance {
        component: Component::of(&written),
        written,
        key: None,
        name: root.get("name").cloned(),
        inputs: root.get("inputs").cloned(),
        spot: spot.clone(),
    }
}

/// Keys of a document that are no component.
const OTHERS: [&str; 5] = ["name", "app", "stage", "org", "service"];

fn keyed(root: &Node, notes: &mut Notes) -> Vec<Instance> {
    let mut instances = Vec::new();
    let is_classic = root.get("provider").is_some();
    for entry in root.entries() {
        match entry.node.get("component").and_then(Node::text) {
            Some(written) => instances.push(Instance {
                component: Component::of(written),
                written: written.to_owned(),
                key: Some(entry.key.to_string()),
                name: None,
                inputs: entry.node.get("inputs").cloned(),
                spot: entry.spot.clone(),
            }),
            None if is_classic || OTHERS.contains(&&*entry.key) => {}
            None if entry.node.is_map() => notes.warning(
                &entry.spot,
                format!("{} is ignored: it is a map without component", entry.key),
            ),
            None => {}
        }
    }
    // A file above others may have nothing but what they have in common.
    let is_common = |key: &str| ["app", "stage", "org"].contains(&key);
    let is_above = root.entries().iter().all(|entry| is_common(&entry.key));
    if instances.is_empty() && !is_above {
        let what = if is_classic {
            "this is a project of the Serverless Framework with a provider, which is not \
             understood; use components, such as component: scf"
        } else {
            "this names no component; write component: scf, or a map of components"
        };
        notes.error(&root.spot, what);
    }
    instances
}

/// The types of a function in SAM.
const FUNCTION_TYPES: [&str; 2] =
    ["TencentCloud::Serverless::Function", "AWS::Serverless::Function"];
/// Those of a map of functions.
const NAMESPACE_TYPE: &str = "TencentCloud::Serverless::Namespace";

fn resources(root: &Node, notes: &mut Notes) -> Vec<Instance> {
    // Templates of other programs have the same file name.
    let Some(resources) = root.get("Resources") else { return Vec::new() };
    let written = |node: &Node| node.get("Type").and_then(Node::text).map(str::to_owned);
    let (mut instances, mut others) = (Vec::new(), Vec::new());
    for entry in resources.entries() {
        match written(&entry.node) {
            Some(kind) if kind == NAMESPACE_TYPE => {
                for inner in entry.node.entries().iter().filter(|inner| inner.node.is_map()) {
                    let kind = written(&inner.node).unwrap_or_default();
                    instances.push(resource(&inner.key, &inner.spot, &inner.node, &kind));
                }
            }
            Some(kind) if FUNCTION_TYPES.contains(&&*kind) => {
                instances.push(resource(&entry.key, &entry.spot, &entry.node, &kind));
            }
            kind => others.push((entry, kind.unwrap_or_else(|| "no Type".to_owned()))),
        }
    }
    instances.retain(|instance| FUNCTION_TYPES.contains(&&*instance.written));
    if !instances.is_empty() {
        for (entry, kind) in others {
            let what = format!("{} is ignored: resources of {kind} are not there here", entry.key);
            notes.warning(&entry.spot, what);
        }
    }
    instances
}

fn resource(key: &str, spot: &Spot, node: &Node, written: &str) -> Instance {
    Instance {
        component: Component::Resource,
        written: written.to_owned(),
        key: Some(key.to_owned()),
        name: None,
        inputs: node.get("Properties").cloned(),
        spot: spot.clone(),
    }
}
