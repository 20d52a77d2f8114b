//! `[variables]`, and `${name}` in the environments of functions.
//!
//! A `${` within a value has no meaning: values are not expanded again. `${push}` is the address to
//! push to. It is put in when the function starts: a child process has its own.

use std::{collections::BTreeMap, mem};

use daemon::settings::{Kind, Section, is_name_byte};

/// The variable with the URL of the gateway's internal listener.
pub(super) const PUSH: &str = "push";

/// The variable with a host that leads to the pushes of an instance, and the host. It is one of the
/// cloud's: code that takes a host takes no port with it.
pub(super) const PUSH_HOST: (&str, &str) = ("push_host", "push.apigateway.tencentyun.com");

/// Values for `${name}`.
#[derive(Debug)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Takes `[variables]` out of `root`. Values in `extra` override them. `${push_host}` is there
    /// if the cloud's names lead here.
    pub(super) fn read(
        root: &mut Section,
        extra: &BTreeMap<String, String>,
        has_names: bool,
    ) -> Self {
        let string = Kind::new("a string", |value| value.as_str().map(str::to_owned)).secret();
        let mut values: BTreeMap<_, _> = root.entries("variables", &string).into_iter().collect();
        for name in values.keys().filter(|name| !is_name(name)) {
            let what = "is not a name for a variable; use letters, digits, - and _";
            root.problem(&format!("variables.{name}"), what);
        }
        values.extend(extra.clone());
        if has_names {
            values.entry(PUSH_HOST.0.to_owned()).or_insert_with(|| PUSH_HOST.1.to_owned());
        }
        Self(values)
    }

    /// The URL of the gateway's internal listener, if it is set.
    pub(super) fn push(&self) -> Option<&str> {
        self.0.get(PUSH).map(String::as_str)
    }

    /// Replaces each `${name}` in `template` with its value, except for `${push}`: returns the
    /// texts between these. The error is the problem.
    pub(super) fn expand(&self, template: &str) -> Result<Vec<String>, String> {
        let (mut texts, mut expanded) = (Vec::new(), String::with_capacity(template.len()));
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or("has a ${ without its }; use ${name}")?;
            let value = self.0.get(name).ok_or_else(|| self.unknown(name))?;
            expanded.push_str(before);
            if name == PUSH {
                texts.push(mem::take(&mut expanded));
            } else {
                expanded.push_str(value);
            }
            rest = after;
        }
        expanded.push_str(rest);
        texts.push(expanded);
        Ok(texts)
    }

    fn unknown(&self, name: &str) -> String {
        if name == PUSH_HOST.0 {
            return "uses ${push_host}, which is there with [cloud] only; add the table [cloud]"
                .to_owned();
        }
        if self.0.is_empty() {
            return format!("uses ${{{name}}}, but [variables] is empty; add {name} there");
        }
        let known: Vec<_> = self.0.keys().map(|known| format!("${{{known}}}")).collect();
        format!("uses ${{{name}}}, which [variables] does not have; use {}", known.join(" or "))
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_name_byte)
}
