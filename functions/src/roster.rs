//! Who is connected: one object for each connection, named by its id, in an object store.
//!
//! Nothing is in the objects, and nothing is kept here: whoever lists the store sees who is
//! there, from any process and in any language.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, future, stream};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, path::Path};

use self::location::Location;
use crate::{
    environment::Environment,
    function::{FunctionError, StartError},
};

mod bucket;
mod directory;
mod location;
mod memory;

/// The environment key that says where the roster is.
const URL_KEY: &str = "ROSTER_URL";
/// How many removals are under way at once. A mass drop leaves thousands of ids behind, and the
/// store should not feel that as an attack.
const REMOVALS_AT_ONCE: usize = 16;
/// Longer than any id known, shorter than a file name may be.
const ID_BYTES_MAX: usize = 128;

/// The ids of a chat's connections.
pub(crate) struct Roster {
    store: Arc<dyn ObjectStore>,
    /// What stands before each id in the names of the objects.
    prefix: Path,
}

/// The roster did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RosterError {
    #[error("connection id is not 1 to {ID_BYTES_MAX} letters, digits, '-', '_', '+' and '='")]
    BadId,
    #[error("roster could not {verb}")]
    Store { verb: &'static str, source: object_store::Error },
}

impl Roster {
    /// Finds the store that `ROSTER_URL` names. Nothing is connected to yet.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let location = Location::parse(environment.require(URL_KEY)?)
            .map_err(|problem| StartError::new(URL_KEY, problem))?;
        let (store, prefix): (Arc<dyn ObjectStore>, Path) = match location {
            Location::Memory(name) => (memory::open(name), Path::default()),
            Location::Directory(path) => (Arc::new(directory::open(&path)?), Path::default()),
            Location::Bucket { name, prefix } => {
                (Arc::new(bucket::open(&name, environment)?), prefix)
            }
        };
        Ok(Self { store, prefix })
    }

    /// Notes that `id` is there.
    pub(crate) async fn add(&self, id: &str) -> Result<(), RosterError> {
        let path = self.path_of(id)?;
        match self.store.put(&path, PutPayload::default()).await {
            Ok(_) => Ok(()),
            Err(source) => Err(RosterError::Store { verb: "add a connection", source }),
        }
    }

    /// Forgets `id`, or finds that it is forgotten already.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), RosterError> {
        let path = self.path_of(id)?;
        match self.store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(RosterError::Store { verb: "remove a connection", source }),
        }
    }

    /// Forgets all `ids`: one that fails does not keep the others.
    pub(crate) async fn remove_all(
        &self,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<(), RosterError> {
        let ids: Vec<_> = ids.into_iter().collect();
        let removed: Vec<_> = stream::iter(ids)
            .map(|id| async move { self.remove(&id).await })
            .buffer_unordered(REMOVALS_AT_ONCE)
            .collect()
            .await;
        removed.into_iter().collect()
    }

    /// All ids that are there now, in order.
    pub(crate) async fn list(&self) -> Result<Vec<String>, RosterError> {
        let mut ids: Vec<_> = self
            .store
            .list(Some(&self.prefix))
            .try_filter_map(|object| future::ready(Ok(self.id_in(&object.location))))
            .try_collect()
            .await
            .map_err(|source| RosterError::Store { verb: "list connections", source })?;
        // Files come in the order of the disk.
        ids.sort_unstable();
        Ok(ids)
    }

    fn path_of(&self, id: &str) -> Result<Path, RosterError> {
        if !is_id(id) {
            return Err(RosterError::BadId);
        }
        Ok(self.prefix.clone().join(id))
    }

    /// The id in the name of an object. Others may keep things in the same place, and a file that
    /// is still being written has a name of its own: such names are no ids.
    fn id_in(&self, location: &Path) -> Option<String> {
        let mut parts = location.prefix_match(&self.prefix)?;
        let id = parts.next()?;
        (parts.next().is_none() && is_id(id.as_ref())).then(|| id.as_ref().to_owned())
    }
}

/// Whether `id` can name an object in every store as it is: not a path, not escaped. All base64
/// but the one with `/` passes.
fn is_id(id: &str) -> bool {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+=".contains(&byte);
    (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(named)
}

impl From<RosterError> for FunctionError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::BadId => Self::bad_event(error),
            RosterError::Store { .. } => Self::raised(error),
        }
    }
}

#[cfg(test)]
mod tests;
