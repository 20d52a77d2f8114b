//! The epoch of a bucket: a random text that the catalog and the object `owner` of the bucket both
//! have. A new one begins at each start, and soon after each change.
//!
//! A catalog with an earlier epoch is an old copy, and is refused at the start. A process whose
//! bucket another process has opened notices this, and changes nothing any more. Otherwise each
//! would remove contents that the other one needs.

use std::{
    future::pending,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::sleep;
use tracing::{debug, error, warn};
use uuid::Uuid;

use super::{
    Store,
    catalog::Catalog,
    open::OpenError,
    place::{Bucket, Found, Owner},
};
use crate::refusal::Refusal;

/// The pause after which the bucket is looked at again.
const PAUSE: Duration = Duration::from_secs(5);

/// The epoch of an open store.
#[derive(Debug)]
pub(super) struct Epoch {
    bucket: Bucket,
    /// The id of the catalog.
    catalog: String,
    /// The bucket has one of these, the second one if the last request to it had an effect.
    texts: Mutex<[String; 2]>,
}

/// What the owner that a bucket names is for a catalog.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The bucket names none.
    Free,
    /// It is this catalog.
    Ours,
    /// It is this catalog or a copy of it, in an epoch that this one does not know.
    OfACopy(String),
    /// It is another catalog.
    OfAnother,
}

impl Standing {
    pub(super) fn of(found: Option<&Found>, id: &str, epochs: &[String; 2]) -> Self {
        match found.map(|found| &found.owner) {
            None => Self::Free,
            Some(owner) if owner.catalog != id => Self::OfAnother,
            Some(owner) if epochs.contains(&owner.epoch) => Self::Ours,
            Some(owner) => Self::OfACopy(owner.epoch.clone()),
        }
    }
}

impl Epoch {
    /// Begins an epoch of the bucket, in place of `found`. None if another process has been faster.
    /// `failed` makes an error of one of the catalog, `away` of one of the bucket.
    pub(super) async fn begin(
        catalog: &mut Catalog,
        bucket: &Bucket,
        found: Option<Found>,
        failed: impl Fn(rusqlite::Error) -> OpenError,
        away: impl Fn(std::io::Error) -> OpenError,
    ) -> Result<Option<Self>, OpenError> {
        let id = catalog.identity().map_err(&failed)?.id;
        let current = found.as_ref().map(|found| found.owner.epoch.clone()).unwrap_or_default();
        let next = random();
        // First here: a process that is killed in between has a catalog that knows both.
        catalog.set_epochs(&current, &next).map_err(&failed)?;
        let owner = Owner { catalog: id.clone(), epoch: next.clone() };
        let has_begun = bucket.set_owner(&owner, found).await.map_err(away)?;
        let texts = Mutex::new([current, next]);
        Ok(has_begun.then(|| Self { bucket: bucket.clone(), catalog: id, texts }))
    }

    /// Fails if another process has taken the bucket over.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.bucket.is_lost() {
            return Err(Refusal::internal("another process has taken the bucket over"));
        }
        Ok(())
    }

    /// The catalog has changed: copies that were made before are old now.
    pub(super) fn note_change(&self) {
        self.bucket.note_change();
    }

    fn texts(&self) -> MutexGuard<'_, [String; 2]> {
        self.texts.lock().expect("nothing panics with the lock held")
    }

    fn lose(&self) {
        self.bucket.lose();
        error!(
            "another process has taken the bucket of the contents over, with a copy of the catalog, \
             or the object owner is gone from it; nothing is changed here any more. Stop the process \
             that should not run"
        );
    }
}

impl Store {
    /// Whether this process may change objects.
    pub(crate) fn may_change(&self) -> bool {
        self.check_epoch().is_ok()
    }

    /// Looks again and again whether the epoch is still that of this process, and begins another
    /// one when the catalog has changed. Never ends.
    pub(crate) async fn keep_epoch(&self) {
        if let Some(epoch) = &self.0.epoch {
            while !epoch.bucket.is_lost() {
                sleep(PAUSE).await;
                self.renew(epoch).await;
            }
        }
        pending::<()>().await;
    }

    async fn renew(&self, epoch: &Epoch) {
        let found = match epoch.bucket.owner().await {
            Ok(found) => found,
            Err(error) => {
                // Requests say so too, as errors.
                debug!(%error, "could not ask the bucket of the contents whose it is");
                return;
            }
        };
        let standing = Standing::of(found.as_ref(), &epoch.catalog, &epoch.texts());
        let Some(found) = found.filter(|_| standing == Standing::Ours) else {
            epoch.lose();
            return;
        };
        if !epoch.bucket.take_change() {
            return;
        }
        let texts = [found.owner.epoch.clone(), random()];
        let owner = Owner { catalog: epoch.catalog.clone(), epoch: texts[1].clone() };
        let noted = {
            let [current, next] = texts.clone();
            self.work(move |inner| Ok(inner.catalog().set_epochs(&current, &next)?)).await
        };
        if let Err(error) = noted {
            epoch.note_change();
            warn!(%error, "could not write a new epoch of the bucket of the contents");
            return;
        }
        *epoch.texts() = texts;
        match epoch.bucket.set_owner(&owner, Some(found)).await {
            Ok(true) => {}
            Ok(false) => epoch.lose(),
            Err(error) => {
                epoch.note_change();
                debug!(%error, "could not give the bucket of the contents a new epoch");
            }
        }
    }
}

fn random() -> String {
    Uuid::new_v4().simple().to_string()
}
