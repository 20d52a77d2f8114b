//! The functions by name. Each can be replaced while others are invoked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio_util::task::task_tracker::TaskTrackerToken;

use super::function::HeldFunction;

#[derive(Debug)]
pub(super) struct Table(Mutex<Functions>);

type Functions = BTreeMap<String, Arc<HeldFunction>>;

impl Table {
    pub(super) fn new(functions: Vec<HeldFunction>) -> Self {
        let named =
            functions.into_iter().map(|function| (function.name().to_owned(), Arc::new(function)));
        Self(Mutex::new(named.collect()))
    }

    /// The function `name`, and the count of one more invocation. The function does not end before
    /// the token is dropped.
    pub(super) fn take(&self, name: &str) -> Option<(Arc<HeldFunction>, TaskTrackerToken)> {
        let functions = self.lock();
        let function = functions.get(name)?;
        // With the lock held: a replacement either sees this token, or is found here.
        Some((Arc::clone(function), function.invocations.token()))
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<HeldFunction>> {
        self.lock().get(name).cloned()
    }

    /// All functions, in the order of their names.
    pub(super) fn all(&self) -> Vec<Arc<HeldFunction>> {
        self.lock().values().cloned().collect()
    }

    /// Replaces the function that has the same name. Returns the old one, which gets no more
    /// invocations.
    pub(super) fn put(&self, function: Arc<HeldFunction>) -> Option<Arc<HeldFunction>> {
        self.lock().insert(function.name().to_owned(), function)
    }

    /// Removes all functions whose names are not `wanted`, and returns them.
    pub(super) fn retain(&self, wanted: impl Fn(&str) -> bool) -> Vec<Arc<HeldFunction>> {
        let mut functions = self.lock();
        let removed = functions.extract_if(.., |name, _| !wanted(name));
        removed.map(|(_, function)| function).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Functions> {
        self.0.lock().expect("nothing panics with the lock held")
    }
}
