//! Reads a function: where its code is, what runs it, and within which limits.

mod code;
mod environment;
mod handler;
mod keys;
mod limits;
mod runtime;

use std::{collections::BTreeMap, path::PathBuf};

pub(crate) use self::{
    code::{Source, joined},
    keys::FUNCTION_KEYS,
    limits::seconds,
};
use crate::{
    context::{Context, Noted, Said},
    model::{Function, Runtime},
    note::Place,
    yaml::Node,
};

/// A function as a component describes it.
#[derive(Debug)]
pub(crate) struct Description<'a> {
    pub(crate) name: Said,
    /// The keys of the function, as the component `scf` names them.
    pub(crate) inputs: &'a Node,
    pub(crate) source: Source,
    pub(crate) runtime_default: &'static str,
    pub(crate) timeout_default: u64,
    /// The file that a shim loads, if the handler is a shim.
    pub(crate) entry: Option<Said>,
}

/// What `component: websocket` has as its handler.
const SHIM_HANDLER: &str = "sl_handler.handler";
const HANDLER_DEFAULT: &str = "index.main_handler";

impl Context<'_> {
    /// Reads a function. What keeps it from running is noted: all of it, not only the first fault.
    pub(crate) fn function(&mut self, described: Description<'_>) -> Result<Function, Noted> {
        let Description { name, inputs, .. } = &described;
        let checked_name = self.function_name(name);
        let code = self.code(&described.source);
        let runtime = self.runtime(inputs, described.runtime_default, &name.spot);
        let handler = self.handler(&described, runtime.as_ref().ok(), code.as_ref().ok());
        let mut places = BTreeMap::new();
        let timeout = self.timeout(inputs, described.timeout_default, &mut places);
        let memory_mb = self.memory(inputs, &mut places);
        let environment = self.environment(inputs, &name.spot);
        let role = self.text(inputs, "role").filter(|role| !role.text.is_empty());
        let ((), (runtime, cloud_runtime), handler) = (checked_name?, runtime?, handler?);
        let mut place = |key, said: Option<&Said>| {
            places.extend(said.map(|said| (key, Place::from(&said.spot))));
        };
        place("runtime", Some(&cloud_runtime));
        place("handler", Some(&handler));
        place("role", role.as_ref());
        place("code", Some(&described.source.said));
        Ok(Function {
            name: name.text.clone(),
            place: (&name.spot).into(),
            places,
            code: code?,
            handler: handler.text,
            runtime,
            cloud_runtime: cloud_runtime.text,
            timeout,
            memory_mb,
            environment: environment?,
            role: role.map(|role| role.text),
            entry: described.entry.map(|entry| entry.text),
        })
    }

    fn function_name(&mut self, name: &Said) -> Result<(), Noted> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if (1..=60).contains(&name.text.len()) && name.text.bytes().all(is_letter) {
            return Ok(());
        }
        let what = format!(
            "{:?} is no name of a function: use 1 to 60 letters, digits, - and _",
            name.text
        );
        self.notes.error(&name.spot, what);
        Err(Noted)
    }

    fn runtime(
        &mut self,
        inputs: &Node,
        default: &str,
        spot: &crate::note::Spot,
    ) -> Result<(Runtime, Said), Noted> {
        let written = self.needed_text(inputs, "runtime")?;
        let said = written.unwrap_or_else(|| Said { text: default.to_owned(), spot: spot.clone() });
        match runtime::parse(&said.text) {
            Ok(runtime) => Ok((runtime, said)),
            Err(what) => {
                self.notes.error(&said.spot, what);
                Err(Noted)
            }
        }
    }

    fn handler(
        &mut self,
        described: &Description<'_>,
        runtime: Option<&(Runtime, Said)>,
        code: Option<&PathBuf>,
    ) -> Result<Said, Noted> {
        let written = self.needed_text(described.inputs, "handler")?;
        let default =
            |text: &str| Said { text: text.to_owned(), spot: described.name.spot.clone() };
        let (Some((runtime, _)), Some(code)) = (runtime, code) else { return Err(Noted) };
        match (&described.entry, runtime) {
            (Some(entry), _) => self
                .check_entry(entry, code)
                .map(|()| Said { text: SHIM_HANDLER.to_owned(), spot: entry.spot.clone() }),
            (None, Runtime::Custom) => {
                let handler = written.unwrap_or_else(|| default("bootstrap"));
                self.check_bootstrap(&handler, code).map(|()| handler)
            }
            (None, Runtime::Python | Runtime::Node) => {
                let handler = written.unwrap_or_else(|| default(HANDLER_DEFAULT));
                self.check_handler(handler, *runtime, code)
            }
        }
    }
}
