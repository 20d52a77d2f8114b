//! References in values: `${stage}`, `${env:X}`, `${Conf.x}`, `${output:…}`, also within each
//! other.
//!
//! A value is resolved when it is asked for. The number of references that are followed is bounded
//! for the whole project, so that a few lines cannot keep the reader busy.

mod lookup;
mod names;
mod template;

use std::{cell::Cell, collections::BTreeMap};

use self::template::{Part, parts};
use crate::{
    documents::{Document, Instance},
    note::Severity,
    yaml::{Node, Value},
};

/// How many references are followed in one project.
const STEPS_MAX: usize = 10_000;
/// The longest text that references make, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// How many references may lead to one another.
const DEPTH_MAX: usize = 30;

/// Why a value has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unresolved {
    pub(crate) what: String,
    /// At least this.
    pub(crate) severity: Severity,
}

impl Unresolved {
    fn nowhere(what: String) -> Self {
        Self { what, severity: Severity::Warning }
    }
}

/// Follows references through the documents of a project.
#[derive(Debug)]
pub(crate) struct References<'a> {
    documents: &'a [Document],
    environment: &'a BTreeMap<String, String>,
    steps: Cell<usize>,
}

/// The references that lead to the one that is followed, each with its file.
type Trail = Vec<String>;

impl<'a> References<'a> {
    pub(crate) fn new(
        documents: &'a [Document],
        environment: &'a BTreeMap<String, String>,
    ) -> Self {
        Self { documents, environment, steps: Cell::new(0) }
    }

    pub(crate) fn documents(&self) -> &'a [Document] {
        self.documents
    }

    /// `node` with its references replaced, if it is text. Lists and maps are as they are written:
    /// what is in them is resolved in its turn.
    pub(crate) fn resolve(&self, node: &Node) -> Result<Node, Unresolved> {
        self.follow(node, &mut Trail::new())
    }

    /// The name of an instance: the function's, if it is one.
    pub(crate) fn name_of(
        &self,
        document: &Document,
        instance: &Instance,
    ) -> Result<String, Unresolved> {
        self.function_name(document, instance, &mut Trail::new())
    }

    /// `<name>-<stage>-<app>` of a document that is one instance.
    pub(crate) fn full_name(&self, document: &Document) -> Result<String, Unresolved> {
        self.full_name_on(document, &mut Trail::new())
    }

    fn follow(&self, node: &Node, trail: &mut Trail) -> Result<Node, Unresolved> {
        let Some(text) = node.text().filter(|text| text.contains("${")) else {
            return Ok(node.clone());
        };
        let document = self.documents.iter().find(|document| document.file == node.spot.file);
        let Some(document) = document else { return Ok(node.clone()) };
        let found = self.expand(document, text, trail)?;
        // A list or a map keeps its own lines.
        let spot = match found.value {
            Value::List(_) | Value::Map(_) => found.spot,
            Value::Null | Value::Text(_) | Value::Tagged(_) => node.spot.clone(),
        };
        Ok(Node { value: found.value, spot })
    }

    /// The value of a text with references. One that is nothing but a reference has the type of
    /// what it leads to.
    fn expand(
        &self,
        document: &Document,
        text: &str,
        trail: &mut Trail,
    ) -> Result<Node, Unresolved> {
        let parts = parts(text);
        if let [Part::Reference(inner)] = &parts[..] {
            return self.reference(document, inner, trail);
        }
        let mut expanded = String::new();
        for part in parts {
            match part {
                Part::Text(text) => expanded.push_str(text),
                Part::Reference(inner) => {
                    let found = self.reference(document, inner, trail)?;
                    let Some(text) = found.text() else {
                        return Err(Unresolved::nowhere(format!(
                            "${{{inner}}} is {}, and stands within a text",
                            found.kind()
                        )));
                    };
                    expanded.push_str(text);
                }
            }
            if expanded.len() > TEXT_BYTES_MAX {
                let what = format!("the text is longer than {TEXT_BYTES_MAX} bytes");
                return Err(Unresolved { what, severity: Severity::Error });
            }
        }
        Ok(Node { value: Value::Text(expanded.into()), spot: crate::yaml::top(&document.file) })
    }

    fn reference(
        &self,
        document: &Document,
        inner: &str,
        trail: &mut Trail,
    ) -> Result<Node, Unresolved> {
        let error = |what| Err(Unresolved { what, severity: Severity::Error });
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX {
            return error(format!("the project has more than {STEPS_MAX} references to follow"));
        }
        let step = format!("{}: {inner}", document.file.display());
        if trail.contains(&step) {
            let circle = trail.iter().skip_while(|other| **other != step);
            let circle: Vec<_> = circle.map(|step| format!("${{{}}}", name_in(step))).collect();
            return error(format!("the references go in a circle: {}", circle.join(" to ")));
        }
        if trail.len() == DEPTH_MAX {
            return error(format!("more than {DEPTH_MAX} references lead to one another"));
        }
        trail.push(step);
        let found = self.reference_on(document, inner, trail);
        trail.pop();
        found
    }

    fn reference_on(
        &self,
        document: &Document,
        inner: &str,
        trail: &mut Trail,
    ) -> Result<Node, Unresolved> {
        let expanded;
        let name = if inner.contains("${") {
            expanded = self.expand(document, inner, trail)?;
            expanded.text().unwrap_or_default()
        } else {
            inner
        };
        let found = self.look_up(document, name.trim(), trail)?;
        self.follow(&found, trail)
    }
}

fn name_in(step: &str) -> &str {
    step.split_once(": ").map_or(step, |(_, name)| name)
}

#[cfg(test)]
mod tests;
