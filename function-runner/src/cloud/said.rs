//! The log lines about names: one for each name of a function, so that no loop fills the log.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use tracing::{debug, info, warn};

use crate::invocation::RecentLines;

/// How many names of a function are remembered. Lines of further ones are at level debug.
const NAMES_MAX: usize = 256;

/// Writes the lines of one function.
#[derive(Debug)]
pub(super) struct Said {
    function: String,
    lines: RecentLines,
    names: Mutex<HashSet<String>>,
}

impl Said {
    pub(super) fn new(function: &str, lines: RecentLines) -> Self {
        Self { function: function.to_owned(), lines, names: Mutex::default() }
    }

    /// `name` leads to `place`.
    pub(super) fn leads(&self, name: &str, place: &str) {
        let function = &*self.function;
        let text = format!("{name} leads to {place} for function {function}");
        if self.is_first(name) {
            return info!(function.name = function, "{text}");
        }
        debug!(function.name = function, "{text}");
    }

    /// `name` leads nowhere, for the reason `what`. Also in the log of the function.
    pub(super) fn leads_nowhere(&self, name: &str, what: &str) {
        let function = &*self.function;
        let text = format!("{name} leads nowhere for function {function}: {what}");
        if self.is_first(name) {
            self.lines.push(&[Arc::from(&*text)]);
            return warn!(function.name = function, "{text}");
        }
        debug!(function.name = function, "{text}");
    }

    fn is_first(&self, name: &str) -> bool {
        let mut names = self.names.lock().expect("nothing panics with the lock held");
        names.len() < NAMES_MAX && names.insert(name.to_owned())
    }
}
