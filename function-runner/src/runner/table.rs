//! The functions that there are, by name. Each can be replaced while the others are being invoked.

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

    /// The function `name`, counted among its invocations: it is not ended while that lasts.
    pub(super) fn take(&self, name: &str) -> Option<(Arc<HeldFunction>, TaskTrackerToken)> {
        let functions = self.lock();
        let function = functions.get(name)?;
        // With the lock held: whoever replaces it waits for this one.
        Some((Arc::clone(function), function.invocations.token()))
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<HeldFunction>> {
        self.lock().get(name).cloned()
    }

    /// All, in the order of their names.
    pub(super) fn all(&self) -> Vec<Arc<HeldFunction>> {
        self.lock().values().cloned().collect()
    }

    /// Puts `function` in the place of the one that has its name, which is returned. Nobody
    /// invokes that any more.
    pub(super) fn put(&self, function: Arc<HeldFunction>) -> Option<Arc<HeldFunction>> {
        self.lock().insert(function.name().to_owned(), function)
    }

    /// Takes those out whose names are not `wanted`.
    pub(super) fn retain(&self, wanted: impl Fn(&str) -> bool) -> Vec<Arc<HeldFunction>> {
        let mut functions = self.lock();
        let removed = functions.extract_if(.., |name, _| !wanted(name));
        removed.map(|(_, function)| function).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Functions> {
        self.0.lock().expect("nothing panics with the lock held")
    }
}
