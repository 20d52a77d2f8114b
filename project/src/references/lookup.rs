//! What one reference leads to.

use super::{References, Trail, Unresolved};
use crate::{
    documents::{Component, Document, Instance},
    nearest::perhaps,
    yaml::{Node, Value, top},
};

/// Names of a function's name among the outputs of its component.
const FUNCTION_NAMES: [&str; 3] = ["functionName", "name", "Name"];

impl References<'_> {
    /// What `name` leads to, seen from `document`. References in it are not followed.
    pub(super) fn look_up(
        &self,
        document: &Document,
        name: &str,
        trail: &mut Trail,
    ) -> Result<Node, Unresolved> {
        if let Some(variable) = name.strip_prefix("env:").or_else(|| name.strip_prefix("env.")) {
            return self.variable(document, variable.trim());
        }
        if let Some(output) = name.strip_prefix("output:") {
            return self.output(document, output, trail);
        }
        if name.contains([':', '(']) {
            return Err(nowhere(
                name,
                "is not understood; use ${env:…}, ${output:…}, or a key of the file",
            ));
        }
        let mut path = path(name);
        let first = path.next().unwrap_or_default();
        let rest: Vec<_> = path.collect();
        let keyed = document.instances.iter().find(|other| other.key.as_deref() == Some(first));
        match keyed.filter(|_| document.is_map && !rest.is_empty()) {
            Some(instance) => self.output_of(document, instance, name, &rest, trail),
            None => self.own_key(document, name, first, &rest, trail),
        }
    }

    /// The environment of the process comes before the `.env` files.
    fn variable(&self, document: &Document, variable: &str) -> Result<Node, Unresolved> {
        let value = self.environment.get(variable).or_else(|| document.dotenv.get(variable));
        value.map(|value| text(document, value)).ok_or_else(|| {
            let name = format!("env:{variable}");
            let what = format!("leads nowhere: set the variable {variable}, or add it to .env");
            nowhere(&name, &what)
        })
    }

    /// `<stage>:<app>:<name>.<output>`, or the last part alone.
    fn output(
        &self,
        document: &Document,
        output: &str,
        trail: &mut Trail,
    ) -> Result<Node, Unresolved> {
        let name = format!("output:{output}");
        let parts: Vec<_> = output.split(':').map(str::trim).collect();
        let (scope, last) = match &parts[..] {
            [last] => (None, *last),
            [stage, app, last] => (Some((*stage, *app)), *last),
            _ => {
                return Err(nowhere(
                    &name,
                    "is not understood; write ${output:<stage>:<app>:<name>.<output>}",
                ));
            }
        };
        let mut path = path(last);
        let wanted = path.next().unwrap_or_default();
        let rest: Vec<_> = path.collect();
        let mut others = Vec::new();
        for other in self.documents.iter().filter(|other| !other.is_map) {
            let instances = other.instances.iter();
            for instance in instances {
                let own = self.instance_name(other, instance, trail)?;
                let is_meant = own == wanted
                    && scope.is_none_or(|(stage, app)| {
                        let is = |key, expected: &str, trail: &mut Trail| {
                            self.own_text(other, key, trail).is_ok_and(|own| own == expected)
                        };
                        is("stage", stage, trail) && is("app", app, trail)
                    });
                if is_meant {
                    return self.output_of(other, instance, &name, &rest, trail);
                }
                others.push(own);
            }
        }
        let in_map = document.instances.iter().find(|other| other.key.as_deref() == Some(wanted));
        if let Some(instance) = in_map {
            return self.output_of(document, instance, &name, &rest, trail);
        }
        let what = if others.iter().any(|own| own == wanted) {
            format!("leads nowhere: {wanted} has another stage or app")
        } else {
            let perhaps = perhaps(wanted, others.iter().map(String::as_str));
            format!("leads nowhere: no instance of the project has the name {wanted}{perhaps}")
        };
        Err(nowhere(&name, &what))
    }

    /// What an instance puts out, as far as it is known before anything is in the cloud.
    fn output_of(
        &self,
        document: &Document,
        instance: &Instance,
        name: &str,
        rest: &[&str],
        trail: &mut Trail,
    ) -> Result<Node, Unresolved> {
        if let [output] = rest
            && FUNCTION_NAMES.contains(output)
            && instance.component.is_function()
        {
            let name = self.function_name(document, instance, trail)?;
            return Ok(text(document, &name));
        }
        // An output that is an input too has another spelling in some components.
        let spellings = |key: &str| [key.to_owned(), lower_first(key)];
        let inputs = instance.inputs.as_ref();
        let first = rest.first().copied().unwrap_or_default();
        let found =
            inputs.and_then(|inputs| spellings(first).iter().find_map(|key| inputs.get(key)));
        match found {
            Some(found) => self.walk(found, name, rest.get(1..).unwrap_or_default(), trail),
            None if instance.component == Component::Global => {
                let keys = inputs.map(Node::entries).unwrap_or_default();
                let perhaps = perhaps(first, keys.iter().map(|entry| &*entry.key));
                Err(nowhere(name, &format!("leads nowhere: there is no input {first}{perhaps}")))
            }
            None => Err(nowhere(
                name,
                &format!("is known in the cloud only: {first} is no input of the instance"),
            )),
        }
    }

    /// A key at the top of the file, and what is below it.
    fn own_key(
        &self,
        document: &Document,
        name: &str,
        first: &str,
        rest: &[&str],
        trail: &mut Trail,
    ) -> Result<Node, Unresolved> {
        if rest.is_empty() && ["app", "stage", "org"].contains(&first) {
            return self.own_text(document, first, trail).map(|own| text(document, &own));
        }
        match document.root.get(first) {
            Some(found) => self.walk(found, name, rest, trail),
            None => {
                let keys = document.root.entries().iter().map(|entry| &*entry.key);
                let perhaps = perhaps(first, keys);
                let what = format!("leads nowhere: the file has no key {first}{perhaps}");
                Err(nowhere(name, &what))
            }
        }
    }

    fn walk(
        &self,
        from: &Node,
        name: &str,
        rest: &[&str],
        trail: &mut Trail,
    ) -> Result<Node, Unresolved> {
        let mut at = from.clone();
        for step in rest {
            at = self.follow(&at, trail)?;
            let next = match &at.value {
                Value::List(list) => step.parse().ok().and_then(|index: usize| list.get(index)),
                _ => at.get(step),
            };
            let perhaps = || perhaps(step, at.entries().iter().map(|entry| &*entry.key));
            at = next
                .cloned()
                .ok_or_else(|| nowhere(name, &format!("leads nowhere at {step}{}", perhaps())))?;
        }
        Ok(at)
    }
}

/// The steps of `a.b[0].c`.
fn path(name: &str) -> impl Iterator<Item = &str> {
    name.split(['.', '[', ']']).map(str::trim).filter(|step| !step.is_empty())
}

fn lower_first(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn text(document: &Document, value: &str) -> Node {
    Node { value: Value::Text(value.into()), spot: top(&document.file) }
}

pub(super) fn nowhere(name: &str, what: &str) -> Unresolved {
    Unresolved::nowhere(format!("${{{name}}} {what}"))
}
