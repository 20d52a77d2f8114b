//! The notes that all sections of a document share: its problems, or its keys.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{InlineSecrets, Key, Origins, Problem, inline::InlineSecret};

/// What is noted while a document is read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    file: PathBuf,
    /// Keys that are there because of a variable, with its name: the one that it sets, and the
    /// tables around it that the file does not have.
    variables: RefCell<BTreeMap<String, String>>,
    problems: RefCell<Vec<Problem>>,
    /// The files with secrets that the settings name.
    secret_files: RefCell<Vec<PathBuf>>,
    /// The keys whose secrets stand in the file itself.
    inline_secrets: RefCell<Vec<InlineSecret>>,
    /// The keys that were asked for. None while a file is read.
    keys: Option<RefCell<Vec<Key>>>,
}

impl Notes {
    pub(super) fn of_file(
        file: &Path,
        variables: BTreeMap<String, String>,
        problems: Vec<Problem>,
    ) -> Self {
        let (variables, problems) = (RefCell::new(variables), RefCell::new(problems));
        Self { file: file.to_owned(), variables, problems, ..Self::default() }
    }

    pub(super) fn of_description() -> Self {
        Self { keys: Some(RefCell::default()), ..Self::default() }
    }

    /// Whether the keys are listed, and no file is read.
    pub(super) fn is_description(&self) -> bool {
        self.keys.is_some()
    }

    /// Notes a key, if the keys are listed.
    pub(super) fn add_key(&self, table: &str, name: &str, values: &str, default: &str) {
        if let Some(keys) = &self.keys {
            keys.borrow_mut().push(Key::new(table, name, values, default));
        }
    }

    pub(super) fn take_keys(&self) -> Vec<Key> {
        self.keys.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// Notes a file with a secret, which is a part of the settings.
    pub(super) fn add_secret_file(&self, file: &Path) {
        self.secret_files.borrow_mut().push(file.to_owned());
    }

    pub(super) fn secret_files(&self) -> Vec<PathBuf> {
        self.secret_files.borrow().clone()
    }

    /// Notes a secret that stands in the file itself.
    pub(super) fn add_inline_secret(&self, secret: InlineSecret) {
        self.inline_secrets.borrow_mut().push(secret);
    }

    pub(super) fn inline_secrets(&self) -> InlineSecrets {
        InlineSecrets::new(&self.file, self.inline_secrets.borrow().clone())
    }

    pub(super) fn take_problems(&self) -> Vec<Problem> {
        self.problems.take()
    }

    /// Notes a problem of the value at `key`.
    pub(super) fn add(&self, key: &str, what: String) {
        let problem = self.origins().problem(key, what);
        self.problems.borrow_mut().push(problem);
    }

    /// Notes that there should be no `key`, once for each place that sets it: the file, and every
    /// variable that names the key or a key below it.
    pub(super) fn add_everywhere(&self, key: &str, what: &str) {
        if !self.is_variable(key) {
            self.add(key, what.to_owned());
        }
        let variables = self.variables.borrow();
        let within = variables.iter().filter(|(at, _)| is_within(at, key));
        let places: BTreeSet<_> = within.map(|(_, variable)| variable.clone()).collect();
        let problem = |place| Problem { place, what: format!("{key} {what}") };
        self.problems.borrow_mut().extend(places.into_iter().map(problem));
    }

    pub(super) fn origins(&self) -> Origins {
        Origins::new(self.file.clone(), self.variables.borrow().clone())
    }

    pub(super) fn is_variable(&self, key: &str) -> bool {
        self.variables.borrow().contains_key(key)
    }

    /// Renames `spelled`, a key that only variables set, to the `key` that it is read as, and with
    /// it all keys below.
    pub(super) fn respell(&self, spelled: &str, key: &str) {
        let respell = |(at, variable): (String, String)| {
            let at = if is_within(&at, spelled) { at.replacen(spelled, key, 1) } else { at };
            (at, variable)
        };
        let variables = self.variables.take();
        *self.variables.borrow_mut() = variables.into_iter().map(respell).collect();
    }
}

/// Whether `key` is `section` or something in it.
fn is_within(key: &str, section: &str) -> bool {
    key.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Joins the key of a section with a key in it, or with the `[number]` of an element.
pub(super) fn join(section: &str, key: &str) -> String {
    let dot = if section.is_empty() || key.starts_with('[') { "" } else { "." };
    format!("{section}{dot}{key}")
}
