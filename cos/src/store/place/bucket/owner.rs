//! The object `owner` below the prefix, which says whose the bucket is.

use std::io;

use futures_util::TryStreamExt;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion, path::Path as Key,
};

use super::Bucket;

/// Whose a bucket is: the text of the object, with a space between both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Owner {
    /// The id of the catalog.
    pub(in crate::store) catalog: String,
    /// A random text of the last process. Empty if a version without epochs wrote it.
    pub(in crate::store) epoch: String,
}

/// An owner with the version of the object that says so.
#[derive(Debug)]
pub(in crate::store) struct Found {
    pub(in crate::store) owner: Owner,
    version: UpdateVersion,
}

impl Bucket {
    /// What the bucket says now.
    pub(in crate::store) async fn owner(&self) -> io::Result<Option<Found>> {
        let found = match self.0.client.get(&self.owner_key()).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(io::Error::other(error)),
        };
        let version =
            UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let bytes = found.bytes().await.map_err(io::Error::other)?;
        let text = String::from_utf8_lossy(&bytes);
        let (catalog, epoch) = text.split_once(' ').unwrap_or((&text, ""));
        let owner = Owner { catalog: catalog.to_owned(), epoch: epoch.to_owned() };
        Ok(Some(Found { owner, version }))
    }

    /// Has the bucket say this in place of `found`. False if somebody else has been faster, as far
    /// as the service of the bucket knows conditions.
    pub(in crate::store) async fn set_owner(
        &self,
        owner: &Owner,
        found: Option<Found>,
    ) -> io::Result<bool> {
        let mode = match found.map(|found| found.version) {
            None => PutMode::Create,
            Some(version) if version.e_tag.is_some() => PutMode::Update(version),
            Some(_) => PutMode::Overwrite,
        };
        let written = match self.write_owner(owner, mode).await {
            Err(error) if is_not_implemented(&error) => {
                self.write_owner(owner, PutMode::Overwrite).await
            }
            written => written,
        };
        match written {
            Ok(()) => Ok(true),
            // Perhaps an answer got lost, and the request was repeated.
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                Ok(self.owner().await?.is_some_and(|found| found.owner == *owner))
            }
            Err(error) => Err(io::Error::other(error)),
        }
    }

    async fn write_owner(&self, owner: &Owner, mode: PutMode) -> Result<(), Error> {
        let text = PutPayload::from(format!("{} {}", owner.catalog, owner.epoch));
        self.0.client.put_opts(&self.owner_key(), text, mode.into()).await.map(drop)
    }

    /// Whether nothing is below the prefix.
    pub(in crate::store) async fn is_empty(&self) -> io::Result<bool> {
        let mut objects = self.0.client.list(Some(&self.0.prefix));
        Ok(objects.try_next().await.map_err(io::Error::other)?.is_none())
    }

    fn owner_key(&self) -> Key {
        self.0.prefix.clone().join("owner")
    }
}

/// Whether the service does not know the condition of a request. The library says it in words only.
fn is_not_implemented(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("501 Not Implemented") || text.contains("<Code>NotImplemented</Code>")
}
