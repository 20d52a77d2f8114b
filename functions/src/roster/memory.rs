//! Rosters in the memory of this process, for tests and first trials.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use object_store::memory::InMemory;

/// All rosters in memory, by name. They are kept until the process ends. The register, transmit and
/// cleanup functions of a chat are started independently, so each finds their common roster by its
/// name, as it finds a directory by its path.
static STORES: Mutex<BTreeMap<String, Arc<InMemory>>> = Mutex::new(BTreeMap::new());

/// The store with this name. Made on the first call.
pub(super) fn open(name: String) -> Arc<InMemory> {
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(stores.entry(name).or_default())
}
