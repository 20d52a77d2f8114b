//! The functions that `gateway.toml` names are in `functions.toml`. Each service reads one file, so
//! only this process can tell.
//!
//! Functions that are given by URL are not looked at.

use std::{cell::RefCell, collections::BTreeSet};

use daemon::settings::{Problem, SettingsError, nearest};

/// The names that the settings in use have, for a time when the other file cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Names {
    functions: RefCell<BTreeSet<String>>,
    named: RefCell<Vec<(String, String)>>,
}

type Gateway = gateway::settings::Settings;
type Functions = function_runner::Settings;

/// The APIs of `gateway` name functions that the runner has.
pub(crate) fn check(gateway: &Gateway, functions: &Functions) -> Result<(), SettingsError> {
    known(gateway, &names_of(functions))
}

fn known(gateway: &Gateway, functions: &BTreeSet<String>) -> Result<(), SettingsError> {
    let problems = gateway.named_functions().into_iter().filter_map(|(key, name)| {
        if functions.contains(&name) {
            return None;
        }
        let known: Vec<_> = functions.iter().map(String::as_str).collect();
        let near = nearest(&name, &known);
        let what = format!("{name:?} is not a function of functions.toml{near}");
        Some(gateway.problem(&key, what))
    });
    refuse(problems.collect())
}

fn refuse(problems: Vec<Problem>) -> Result<(), SettingsError> {
    if problems.is_empty() { Ok(()) } else { Err(SettingsError(problems)) }
}

fn names_of(functions: &Functions) -> BTreeSet<String> {
    functions.functions.iter().map(|function| function.name.clone()).collect()
}

impl Names {
    /// The gateway uses these settings.
    pub(crate) fn use_gateway(&self, gateway: &Gateway) {
        *self.named.borrow_mut() = gateway.named_functions();
    }

    /// The runner uses these settings.
    pub(crate) fn use_functions(&self, functions: &Functions) {
        *self.functions.borrow_mut() = names_of(functions);
    }

    /// Checks new settings of the gateway. `functions` are those of the other file, which may have
    /// changed too, if it has no errors.
    pub(crate) fn check_gateway(
        &self,
        gateway: &Gateway,
        functions: Option<&Functions>,
    ) -> Result<(), SettingsError> {
        known(gateway, &functions.map_or_else(|| self.functions.borrow().clone(), names_of))?;
        self.use_gateway(gateway);
        Ok(())
    }

    /// Checks new settings of the runner: no function is gone that the gateway still names.
    /// `gateway` is the other file, if it has no errors. A name there that the runner never had is
    /// no fault of this file.
    pub(crate) fn check_functions(
        &self,
        functions: &Functions,
        gateway: Option<&Gateway>,
    ) -> Result<(), SettingsError> {
        let new = names_of(functions);
        let old = self.functions.borrow().clone();
        let named = gateway.map_or_else(|| self.named.borrow().clone(), Gateway::named_functions);
        let gone = named.iter().filter(|(_, name)| old.contains(name) && !new.contains(name));
        let problems = gone.map(|(key, name)| {
            let what = format!(
                "is missing, and {key} of gateway.toml still names it; change gateway.toml first"
            );
            functions.problem(&format!("functions.{name}"), what)
        });
        refuse(problems.collect())?;
        self.use_functions(functions);
        Ok(())
    }
}
