//! The roster: the list of open connections of a chat, in an object store. There is one object for
//! each connection, named by the connection's id.
//!
//! The objects are empty and nothing is cached, so any process in any language can list the
//! connections.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, future, stream};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, path::Path};

use self::location::Location;
use crate::{environment::Environment, function::FunctionError, start_error::StartError};

mod bucket;
mod directory;
mod location;
mod memory;

/// The environment key with the location of the roster.
const URL_KEY: &str = "ROSTER_URL";
/// How many ids are removed at the same time. After a mass disconnect there are thousands of ids
/// to remove, and the store must not be overloaded.
const REMOVALS_AT_ONCE: usize = 16;
/// The longest id. Known ids are shorter, and file names may be longer.
const ID_BYTES_MAX: usize = 128;

/// The ids of a chat's connections.
pub(crate) struct Roster {
    store: Arc<dyn ObjectStore>,
    /// The path in the store under which the objects are.
    prefix: Path,
}

/// An operation on the roster failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RosterError {
    #[error("connection id is not 1 to {ID_BYTES_MAX} letters, digits, '-', '_', '+' and '='")]
    BadId,
    #[error("roster could not {verb}")]
    Store { verb: &'static str, source: object_store::Error },
}

impl Roster {
    /// Prepares the store that `ROSTER_URL` names. Connects to nothing.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let (store, prefix): (Arc<dyn ObjectStore>, Path) = match Self::location(environment)? {
            Location::Memory(name) => (memory::open(name), Path::default()),
            Location::Directory(path) => (Arc::new(directory::open(&path)?), Path::default()),
            Location::Bucket { name, prefix } => {
                (Arc::new(bucket::open(&name, environment)?), prefix)
            }
        };
        Ok(Self { store, prefix })
    }

    /// Says whether `environment` names a store and how to reach it. Opens nothing.
    pub(crate) fn check(environment: &Environment) -> Result<(), StartError> {
        match Self::location(environment)? {
            Location::Memory(_) | Location::Directory(_) => Ok(()),
            Location::Bucket { name, .. } => bucket::open(&name, environment).map(drop),
        }
    }

    fn location(environment: &Environment) -> Result<Location, StartError> {
        Location::parse(environment.require(URL_KEY)?)
            .map_err(|problem| StartError::new(URL_KEY, problem))
    }

    /// Adds `id`.
    pub(crate) async fn add(&self, id: &str) -> Result<(), RosterError> {
        let path = self.path_of(id)?;
        match self.store.put(&path, PutPayload::default()).await {
            Ok(_) => Ok(()),
            Err(source) => Err(RosterError::Store { verb: "add a connection", source }),
        }
    }

    /// Removes `id`. Succeeds also if `id` is not in the roster.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), RosterError> {
        let path = self.path_of(id)?;
        match self.store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(RosterError::Store { verb: "remove a connection", source }),
        }
    }

    /// Removes all `ids`. If one fails, the others are removed all the same, and the error is
    /// returned.
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

    /// All ids, sorted.
    pub(crate) async fn list(&self) -> Result<Vec<String>, RosterError> {
        let mut ids: Vec<_> = self
            .store
            .list(Some(&self.prefix))
            .try_filter_map(|object| future::ready(Ok(self.id_in(&object.location))))
            .try_collect()
            .await
            .map_err(|source| RosterError::Store { verb: "list connections", source })?;
        // A directory is listed in the order of the file system.
        ids.sort_unstable();
        Ok(ids)
    }

    fn path_of(&self, id: &str) -> Result<Path, RosterError> {
        if !is_id(id) {
            return Err(RosterError::BadId);
        }
        Ok(self.prefix.clone().join(id))
    }

    /// The id in the name of an object. None for other objects: users may store things in the same
    /// location, and a file that is still being written has a temporary name.
    fn id_in(&self, location: &Path) -> Option<String> {
        let mut parts = location.prefix_match(&self.prefix)?;
        let id = parts.next()?;
        (parts.next().is_none() && is_id(id.as_ref())).then(|| id.as_ref().to_owned())
    }
}

/// Whether `id` can be the name of an object in every store, without escaping and without becoming
/// a path. All base64 without `/` is accepted.
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
