//! The log lines about names: one for each name of a function, so that no loop fills the log.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use tracing::{debug, info, warn};

use crate::invocation::RecentLines;

/// How many names of a function are remembered, of those that lead somewhere and of the others.
/// Lines of further ones are at level debug, which the log says.
const NAMES_MAX: usize = 256;

/// Writes the lines of one function.
#[derive(Debug)]
pub(super) struct Said {
    function: String,
    lines: RecentLines,
    leading: Mutex<HashSet<String>>,
    leading_nowhere: Mutex<HashSet<String>>,
}

impl Said {
    pub(super) fn new(function: &str, lines: RecentLines) -> Self {
        let (leading, leading_nowhere) = Default::default();
        Self { function: function.to_owned(), lines, leading, leading_nowhere }
    }

    /// `name` leads to `place`.
    pub(super) fn leads(&self, name: &str, place: &str) {
        let function = &*self.function;
        let text = format!("{name} leads to {place} for function {function}");
        if self.is_first(&self.leading, name) {
            return info!(function.name = function, "{text}");
        }
        debug!(function.name = function, "{text}");
    }

    /// `name` leads nowhere, for the reason `what`. Also in the log of the function.
    pub(super) fn leads_nowhere(&self, name: &str, what: &str) {
        let function = &*self.function;
        let text = format!("{name} leads nowhere for function {function}: {what}");
        if self.is_first(&self.leading_nowhere, name) {
            self.lines.push(&[Arc::from(&*text)]);
            return warn!(function.name = function, "{text}");
        }
        debug!(function.name = function, "{text}");
    }

    fn is_first(&self, names: &Mutex<HashSet<String>>, name: &str) -> bool {
        let mut names = names.lock().expect("nothing panics with the lock held");
        let is_first = names.len() < NAMES_MAX && names.insert(name.to_owned());
        if is_first && names.len() == NAMES_MAX {
            let function = &*self.function;
            warn!(
                function.name = function,
                "function {function} has asked for {NAMES_MAX} names; lines about further ones are at \
                 level debug"
            );
        }
        is_first
    }
}
