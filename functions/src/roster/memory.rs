//! Rosters in the memory of this process: for tests and for trying things out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use object_store::memory::InMemory;

/// All of them, by name, for as long as the process runs. Register, transmit and cleanup are
/// started apart and know nothing of each other, so what they share has to outlive each of them
/// and be found by name, as it would be on a disk.
static STORES: Mutex<BTreeMap<String, Arc<InMemory>>> = Mutex::new(BTreeMap::new());

/// The store of this name, made when it is first asked for.
pub(super) fn open(name: String) -> Arc<InMemory> {
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(stores.entry(name).or_default())
}
