//! Opens a store, and removes what an earlier process has left half done.

mod folder;
mod place;
mod sweep;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use rusqlite::ErrorCode;
use tokio::{sync::Semaphore, task::spawn_blocking};
use tokio_util::task::TaskTracker;
use tracing::info;

use self::{folder::make_folder, place::Opened, sweep::sweep};
use super::{Inner, Store, WORKS_MAX, catalog::Catalog, files::Files, place::sync_folder};
use crate::{
    refusal::Code,
    settings::{StoreSettings, StoreSync},
};

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder, or a file in it, cannot be used.
    #[error("could not use the folder of the object store, {}, which store.dir sets", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// The bucket of the contents cannot be used.
    #[error("could not use the bucket {0}, which store.contents.url sets")]
    Bucket(String, #[source] io::Error),
    /// The catalog names contents elsewhere.
    #[error(
        "the contents of the catalog in {} are in {was}, and the settings say {now}; set [store.contents] \
         as it was before, or another store.dir", .dir.display()
    )]
    OtherPlace {
        /// `store.dir`
        dir: PathBuf,
        /// Where they are: `store.dir`, or the URL of a bucket.
        was: String,
        /// Where the settings say that they are.
        now: String,
    },
    /// A copy of the catalog has used the bucket since this one did.
    #[error(
        "the bucket {bucket} has been used with another copy of the catalog in {} since; start with \
         that copy. If it is gone: with store.contents.take_over = \"{epoch}\" this one takes the \
         bucket over, and keeps the contents that it does not know", .dir.display()
    )]
    OldCatalog {
        /// `store.dir`
        dir: PathBuf,
        /// The name of the bucket.
        bucket: String,
        /// What the bucket has of the other copy.
        epoch: String,
    },
    /// Another process has the store open.
    #[error("the object store in {} is in use by another process; give each its own store.dir", .0.display())]
    InUse(PathBuf),
    /// A newer version of this program has written the catalog.
    #[error("{} was written by a newer version of this program; use that version", .0.display())]
    TooNew(PathBuf),
    /// The catalog cannot be read or written.
    #[error("could not open the catalog of the object store, {}", .0.display())]
    Catalog(PathBuf, #[source] rusqlite::Error),
}

impl Store {
    /// Opens the store, and makes what is missing of it, the buckets of the settings too.
    pub(crate) async fn open(settings: StoreSettings) -> Result<Self, OpenError> {
        let opened = spawn_blocking(move || open(&settings)).await;
        opened.expect("opening does not panic, and is not cancelled")
    }
}

fn open(settings: &StoreSettings) -> Result<Store, OpenError> {
    let folder = &settings.dir;
    let unusable = |error| OpenError::Folder(folder.clone(), error);
    make_folder(folder).map_err(unusable)?;
    let file = folder.join("catalog.sqlite");
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            OpenError::InUse(folder.clone())
        }
        _ => OpenError::Catalog(file.clone(), error),
    };
    let mut catalog = Catalog::open(&file, settings.sync)
        .map_err(failed)?
        .ok_or_else(|| OpenError::TooNew(file.clone()))?;
    // The lock is held from here on.
    let Opened { place, epoch, unnamed } = place::open(settings, &mut catalog, &failed)?;
    let files = Files::open(folder, place).map_err(unusable)?;
    if settings.sync == StoreSync::Power {
        sync_folder(folder).map_err(unusable)?;
    }
    let unlisted = |error| match &settings.contents {
        None => OpenError::Folder(folder.clone(), error),
        Some(bucket) => OpenError::Bucket(bucket.bucket.clone(), error),
    };
    sweep(&mut catalog, &files, unnamed, &failed, unlisted)?;
    for bucket in &settings.buckets {
        match catalog.make_bucket(bucket, SystemTime::now()) {
            Ok(()) => info!("the bucket {bucket} was made"),
            Err(refusal) if refusal.code == Code::BucketAlreadyOwnedByYou => {}
            Err(refusal) => {
                let error = refusal.source.map_or_else(
                    || io::Error::other(refusal.message.into_owned()),
                    io::Error::other,
                );
                return Err(unusable(error));
            }
        }
    }
    let (turns, sends) = (Arc::new(Semaphore::new(WORKS_MAX)), TaskTracker::new());
    Ok(Store(Arc::new(Inner { catalog: Mutex::new(catalog), files, turns, sends, epoch })))
}
