//! The objects: contents are files with random names, in folders or in a bucket, and everything
//! else is in a catalog, whose transactions decide what there is.
//!
//! A change is acknowledged when the catalog has committed it. Files are written before, and files
//! that nothing names any more are removed after, so that no instant shows half a change. What a
//! process that was killed has left is removed at the next start.

mod catalog;
mod contents;
mod draft;
mod epoch;
mod file_name;
mod files;
mod lists;
mod object;
mod open;
mod place;
mod uploads;

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use tokio_util::task::TaskTracker;

pub use self::open::OpenError;
use self::{catalog::Catalog, epoch::Epoch, files::Files};
pub(crate) use self::{
    draft::Draft,
    lists::{BucketEntry, Listed, ListedPart, ListedUpload, Page},
    object::{Content, HeldObject, Metadata, NewObject, Object, Overwrite, Stored},
};
use crate::{
    refusal::{Code, Refusal},
    request::ListQuery,
};

/// How many works on files and on the catalog run at once. Each has a thread.
const WORKS_MAX: usize = 16;
/// How long a work waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(30);

/// The store. A handle.
#[derive(Debug, Clone)]
pub(crate) struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Mutex<Catalog>,
    files: Files,
    turns: Arc<Semaphore>,
    /// What goes on beside the requests that began it, until the bucket has answered.
    sends: TaskTracker,
    /// That of the bucket, if the contents are in one.
    epoch: Option<Epoch>,
}

impl Store {
    /// Does `work` on a thread for such work. Once begun, it is done to its end, even if the future
    /// is dropped.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = timeout(TURN_TIMEOUT, Arc::clone(&self.0.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let message = "The disk of the store does not keep up; try again later.";
            return Err(Refusal::new(Code::SlowDown, message));
        };
        let inner = Arc::clone(&self.0);
        let done = spawn_blocking(move || {
            let _turn = turn;
            work(&inner)
        });
        // A panic, or the end of the process.
        done.await.unwrap_or_else(|error| Err(Refusal::internal(error)))
    }

    /// Does `work` as [`Store::work`], if this process may change objects.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.check_epoch()?;
        let done = self.work(work).await;
        if let Some(epoch) = &self.0.epoch {
            epoch.note_change();
        }
        done
    }

    /// Fails if this process may not change objects any more.
    fn check_epoch(&self) -> Result<(), Refusal> {
        self.0.epoch.as_ref().map_or(Ok(()), Epoch::check)
    }

    /// All buckets, by name.
    pub(crate) async fn buckets(&self) -> Result<Vec<BucketEntry>, Refusal> {
        self.work(|inner| inner.catalog().buckets()).await
    }

    pub(crate) async fn check_bucket(&self, bucket: &str) -> Result<(), Refusal> {
        let bucket = bucket.to_owned();
        self.work(move |inner| inner.catalog().bucket_id(&bucket).map(drop)).await
    }

    pub(crate) async fn make_bucket(&self, bucket: &str) -> Result<(), Refusal> {
        let bucket = bucket.to_owned();
        self.change(move |inner| inner.catalog().make_bucket(&bucket, SystemTime::now())).await
    }

    pub(crate) async fn remove_bucket(&self, bucket: &str) -> Result<(), Refusal> {
        let bucket = bucket.to_owned();
        self.change(move |inner| inner.catalog().remove_bucket(&bucket)).await
    }

    /// A draft of a content.
    pub(crate) fn draft(&self) -> Draft {
        Draft::new(self.clone())
    }

    /// Puts an object in place of the one with its key, if there is one.
    pub(crate) async fn put(
        &self,
        [bucket, key]: [&str; 2],
        mut object: NewObject,
        overwrite: Overwrite,
    ) -> Result<Stored, Refusal> {
        let names = [bucket, key].map(str::to_owned);
        self.change(move |inner| {
            let stored = object.stored(SystemTime::now());
            let names = [&*names[0], &*names[1]];
            let replaced = inner.catalog().put(names, &object, &stored, overwrite)?;
            object.content.keep();
            inner.files.remove(replaced);
            Ok(stored)
        })
        .await
    }

    /// The object with this key. While it is held, its content stays.
    pub(crate) async fn get(&self, bucket: &str, key: &str) -> Result<HeldObject, Refusal> {
        let names = [bucket, key].map(str::to_owned);
        let store = self.clone();
        self.work(move |inner| {
            let catalog = inner.catalog();
            let object = catalog.get(&names[0], &names[1])?;
            // With the catalog locked, so that nothing removes the files in between.
            Ok(HeldObject::hold(object, store))
        })
        .await
    }

    /// Removes objects. Those that are not there are no error.
    pub(crate) async fn remove(&self, bucket: &str, keys: Vec<String>) -> Result<(), Refusal> {
        let bucket = bucket.to_owned();
        self.change(move |inner| {
            let removed = inner.catalog().remove(&bucket, &keys)?;
            inner.files.remove(removed);
            Ok(())
        })
        .await
    }

    pub(crate) async fn list(
        &self,
        bucket: &str,
        query: &ListQuery,
    ) -> Result<Page<Listed>, Refusal> {
        let (bucket, query) = (bucket.to_owned(), query.clone());
        self.work(move |inner| inner.catalog().list(&bucket, &query)).await
    }
}

impl Inner {
    fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().expect("nothing panics with the lock held")
    }
}
