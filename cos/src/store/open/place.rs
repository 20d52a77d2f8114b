//! Opens the place of the contents. The catalog knows which one it is, and a bucket knows which
//! catalog.

use std::{io, path::Path, sync::Arc};

use tokio::runtime::Handle;
use tracing::warn;

use super::{
    OpenError,
    sweep::{Unnamed, add_strangers},
};
use crate::{
    settings::{BucketSettings, StoreSettings},
    store::{
        catalog::{Catalog, Identity},
        epoch::{Epoch, Standing},
        place::{Bucket, Folder, Found, Place},
    },
};

/// How the catalog and errors name the folder.
const IN_FOLDER: &str = "store.dir";

/// An open place.
pub(super) struct Opened {
    pub(super) place: Place,
    pub(super) epoch: Option<Epoch>,
    pub(super) unnamed: Unnamed,
}

/// Opens the place of the settings. `failed` makes an error of one of the catalog.
pub(super) fn open(
    settings: &StoreSettings,
    catalog: &mut Catalog,
    failed: &impl Fn(rusqlite::Error) -> OpenError,
) -> Result<Opened, OpenError> {
    let identity = catalog.identity().map_err(failed)?;
    let has_contents = catalog.has_contents().map_err(failed)?;
    let other_place = |now: &str| match identity.place.as_deref() {
        Some(was) if was != now && has_contents => {
            let (was, now) = (was.to_owned(), now.to_owned());
            Some(OpenError::OtherPlace { dir: settings.dir.clone(), was, now })
        }
        Some(_) | None => None,
    };
    let (now, opened) = match &settings.contents {
        None => {
            if let Some(error) = other_place(IN_FOLDER) {
                return Err(error);
            }
            let folder = Folder::open(settings.dir.join("contents"), settings.sync);
            let folder = folder.map_err(|error| OpenError::Folder(settings.dir.clone(), error))?;
            let place = Place::Folder(Arc::new(folder));
            (IN_FOLDER.to_owned(), Opened { place, epoch: None, unnamed: Unnamed::Remove })
        }
        Some(bucket) => {
            let url = bucket.url();
            let asked = Asked { settings: bucket, dir: &settings.dir, failed };
            let other_place = other_place(&url);
            let opened = asked.open(catalog, &identity, has_contents, other_place)?;
            (url, opened)
        }
    };
    if identity.place.as_ref() != Some(&now) {
        catalog.set_place(&now).map_err(failed)?;
    }
    Ok(opened)
}

/// The bucket of the settings.
struct Asked<'s, F> {
    settings: &'s BucketSettings,
    dir: &'s Path,
    failed: &'s F,
}

impl<F: Fn(rusqlite::Error) -> OpenError> Asked<'_, F> {
    /// Opens the bucket and begins an epoch in it, if it is of this catalog or free.
    fn open(
        &self,
        catalog: &mut Catalog,
        identity: &Identity,
        has_contents: bool,
        other_place: Option<OpenError>,
    ) -> Result<Opened, OpenError> {
        let runtime = Handle::current();
        let away = |error| self.away(error);
        let bucket = Bucket::new(self.settings).map_err(away)?;
        let found = runtime.block_on(bucket.owner()).map_err(away)?;
        let standing = Standing::of(found.as_ref(), &identity.id, &identity.epochs);
        // A bucket that was copied with all that is below the prefix says so itself.
        if let Some(error) = other_place.filter(|_| standing != Standing::Ours) {
            return Err(error);
        }
        let unnamed = match standing {
            Standing::Ours => Unnamed::Remove,
            Standing::Free if has_contents => return Err(away(nothing())),
            Standing::Free => {
                let is_empty = runtime.block_on(bucket.is_empty()).map_err(away)?;
                is_empty.then_some(Unnamed::Remove).ok_or_else(|| away(not_ours()))?
            }
            Standing::OfACopy(epoch) if self.settings.take_over.as_ref() == Some(&epoch) => {
                // Before the epoch begins: from then on a start would remove them.
                add_strangers(catalog, bucket.groups().map_err(away)?, self.failed, away)?;
                warn!("the bucket {} is taken over, as store.contents.take_over says", self.name());
                Unnamed::Keep
            }
            Standing::OfACopy(epoch) => return Err(self.old_catalog(epoch)),
            Standing::OfAnother => return Err(away(not_ours())),
        };
        let epoch = self.begin(&runtime, catalog, &bucket, found)?;
        Ok(Opened { place: Place::Bucket(bucket), epoch: Some(epoch), unnamed })
    }

    fn begin(
        &self,
        runtime: &Handle,
        catalog: &mut Catalog,
        bucket: &Bucket,
        found: Option<Found>,
    ) -> Result<Epoch, OpenError> {
        let away = |error| self.away(error);
        let begun = Epoch::begin(catalog, bucket, found, self.failed, away);
        runtime.block_on(begun)?.ok_or_else(|| away(faster()))
    }

    fn name(&self) -> &str {
        &self.settings.bucket
    }

    fn away(&self, error: io::Error) -> OpenError {
        OpenError::Bucket(self.name().to_owned(), error)
    }

    fn old_catalog(&self, epoch: String) -> OpenError {
        let (dir, bucket) = (self.dir.to_owned(), self.name().to_owned());
        OpenError::OldCatalog { dir, bucket, epoch }
    }
}

fn not_ours() -> io::Error {
    io::Error::other(
        "what is below the prefix of store.contents.url is not of the catalog in store.dir; use an \
         empty prefix, or the store.dir with the catalog that it belongs to",
    )
}

fn nothing() -> io::Error {
    io::Error::other(
        "the catalog in store.dir names contents, and below the prefix of store.contents.url is no \
         object owner; check url and endpoint of [store.contents]",
    )
}

fn faster() -> io::Error {
    io::Error::other("another process has just opened it; start one only")
}
