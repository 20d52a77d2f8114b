//! Opens a store, and removes what an earlier process has left half done.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::SystemTime,
};

use rusqlite::ErrorCode;
use tokio::{sync::Semaphore, task::spawn_blocking};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::{
    Inner, Store, WORKS_MAX,
    catalog::Catalog,
    file_name::FileName,
    files::Files,
    place::{Bucket, Folder, Place, sync_folder},
};
use crate::{
    refusal::Code,
    settings::{StoreSettings, StoreSync},
};

/// What others may do with a folder.
const OTHERS: u32 = 0o077;

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder, or a file in it, cannot be used.
    #[error("could not use the folder of the object store, {}, which store.dir sets", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// The bucket of the contents cannot be used.
    #[error("could not use the bucket {0}, which store.contents.url sets")]
    Bucket(String, #[source] io::Error),
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
    let place = match &settings.contents {
        None => {
            let opened = Folder::open(folder.join("contents"), settings.sync);
            Place::Folder(Arc::new(opened.map_err(unusable)?))
        }
        Some(bucket) => {
            let id = catalog.id().map_err(failed)?;
            let opened = Bucket::open(bucket, &id);
            Place::Bucket(opened.map_err(|error| OpenError::Bucket(bucket.bucket.clone(), error))?)
        }
    };
    let files = Files::open(folder, place).map_err(unusable)?;
    if settings.sync == StoreSync::Power {
        sync_folder(folder).map_err(unusable)?;
    }
    let unlisted = |error| match &settings.contents {
        None => OpenError::Folder(folder.clone(), error),
        Some(bucket) => OpenError::Bucket(bucket.bucket.clone(), error),
    };
    sweep(&catalog, &files, failed, unlisted)?;
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
    Ok(Store(Arc::new(Inner { catalog: Mutex::new(catalog), files, turns, sends })))
}

/// Others must not read the contents past the signatures.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        let mode = fs::metadata(folder)?.permissions().mode();
        if mode & OTHERS != 0 {
            // It may be what somebody wants, such as a backup by another user of the group.
            warn!(
                "other users of this machine may look into {}, past all signatures: its mode is {:o}; \
                 use chmod 700 on it",
                folder.display(),
                mode & 0o7777
            );
        }
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    DirBuilder::new().mode(0o700).create(folder)
}

/// Removes whole files that nothing names: an earlier process was killed before it committed them,
/// or after it committed that they are not needed.
fn sweep(
    catalog: &Catalog,
    files: &Files,
    failed: impl Fn(rusqlite::Error) -> OpenError,
    unlisted: impl Fn(io::Error) -> OpenError,
) -> Result<(), OpenError> {
    let (mut removed, mut missing) = (0_usize, 0_usize);
    for group in files.place().groups().map_err(&unlisted)? {
        let (first, names) = group.map_err(&unlisted)?;
        let mut named: HashSet<String> = catalog.files_in(&first).map_err(&failed)?;
        let unnamed: Vec<_> = names.into_iter().filter(|name| !named.remove(name)).collect();
        removed += unnamed.len();
        missing += named.len();
        files.remove(unnamed.into_iter().map(FileName::of).collect());
    }
    if removed > 0 {
        info!(removed, "files of changes that an earlier process did not finish were removed");
    }
    if missing > 0 {
        error!(
            missing,
            "contents of the object store are missing: the machine lost power and store.sync is not \
             \"power\", or another program removed them; objects with them cannot be read"
        );
    }
    Ok(())
}
