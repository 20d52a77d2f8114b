//! Contents as objects in a bucket of S3, or of another store with the S3 protocol.
//!
//! Requests to the bucket have turns of their own, since a bucket may be slow: no thread waits for
//! it. The bucket says whose it is, because two catalogs that name its objects would each remove
//! what the other one needs.

mod client;
mod owner;
mod removals;
mod upload;

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, aws::AmazonS3, path::Path as Key};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

pub(in crate::store) use self::owner::{Found, Owner};
use self::{
    client::{Deadline, REQUEST_TIMEOUT, client},
    removals::Removals,
};
use super::Groups;
use crate::{
    refusal::{Code, Refusal},
    settings::BucketSettings,
    store::{TURN_TIMEOUT, file_name::FileName},
};

pub(super) const PIECE_BYTES: u64 = 1 << 20;
/// How many requests that write run at once. Each has up to `upload::PART_BYTES` in memory.
const WRITES_MAX: usize = 16;
/// How many requests that read run at once. Each has up to `PIECE_BYTES` in memory.
const READS_MAX: usize = 64;
/// How fast the service of the bucket copies an object at least. It answers at the end.
const COPY_BYTES_PER_SECOND: u64 = 16 << 20;

/// A bucket with the contents. A handle.
#[derive(Debug, Clone)]
pub(in crate::store) struct Bucket(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: AmazonS3,
    /// The same for requests whose deadlines are here.
    patient: AmazonS3,
    prefix: Key,
    runtime: Handle,
    reads: Semaphore,
    writes: Semaphore,
    removals: Removals,
    /// Whether the catalog has changed since this was asked last.
    has_changed: AtomicBool,
    /// Another process has taken the bucket over.
    lost: CancellationToken,
}

impl Bucket {
    /// A client of the bucket. It asks nothing yet.
    pub(in crate::store) fn new(settings: &BucketSettings) -> io::Result<Self> {
        let with = |deadline| client(settings, deadline).map_err(io::Error::other);
        let (client, patient) = (with(Deadline::Short)?, with(Deadline::Callers)?);
        let (runtime, lost) = (Handle::current(), CancellationToken::new());
        Ok(Self(Arc::new(Inner {
            removals: Removals::start(client.clone(), lost.clone(), &runtime),
            client,
            patient,
            prefix: Key::from(settings.prefix.as_str()),
            runtime,
            reads: Semaphore::new(READS_MAX),
            writes: Semaphore::new(WRITES_MAX),
            has_changed: AtomicBool::new(false),
            lost,
        })))
    }

    /// Keeps the content of `from`, which has `size` bytes, as `to` too.
    pub(in crate::store) async fn copy(
        &self,
        from: &FileName,
        to: &FileName,
        size: u64,
    ) -> Result<(), Refusal> {
        let _turn = turn(&self.0.writes).await?;
        let limit = REQUEST_TIMEOUT + Duration::from_secs(size / COPY_BYTES_PER_SECOND);
        let (from, to) = (self.key(from), self.key(to));
        let copied = timeout(limit, self.0.patient.copy(&from, &to)).await;
        copied.map_err(|_| io::Error::from(ErrorKind::TimedOut))?.map_err(Refusal::internal)
    }

    /// Reads so many bytes from `offset` on.
    pub(in crate::store) async fn read(
        &self,
        name: &FileName,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let _turn = turn(&self.0.reads).await?;
        let range = offset..offset + length as u64;
        let read = self.0.client.get_range(&self.key(name), range).await;
        let read = read.map_err(Refusal::internal)?;
        if read.len() != length {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        Ok(read.into())
    }

    pub(super) fn remove(&self, names: &[FileName]) {
        if !self.is_lost() {
            self.0.removals.add(names.iter().map(|name| self.key(name)));
        }
    }

    /// Waits until nothing is being removed any more. Nothing is removed then.
    pub(in crate::store) async fn end_removals(&self) {
        self.0.removals.end().await;
    }

    pub(in crate::store) fn groups(&self) -> io::Result<Groups<'_>> {
        let names =
            self.0.client.list(Some(&self.contents())).try_filter_map(|object| async move {
                Ok(object.location.filename().map(str::to_owned))
            });
        let names: Vec<String> = self.0.runtime.block_on(names.try_collect())?;
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // All, so that the catalog is asked for those that are missing too.
        for first in 0..=u8::MAX {
            groups.insert(format!("{first:02x}"), Vec::new());
        }
        for name in names {
            let first = name.get(..2).unwrap_or_default().to_owned();
            groups.entry(first).or_default().push(name);
        }
        Ok(Box::new(groups.into_iter().map(Ok)))
    }

    /// Whether the catalog has changed since the last call.
    pub(in crate::store) fn take_change(&self) -> bool {
        self.0.has_changed.swap(false, Ordering::Relaxed)
    }

    pub(in crate::store) fn note_change(&self) {
        self.0.has_changed.store(true, Ordering::Relaxed);
    }

    /// Another process has taken the bucket over: nothing is removed from it any more.
    pub(in crate::store) fn lose(&self) {
        self.0.lost.cancel();
    }

    pub(in crate::store) fn is_lost(&self) -> bool {
        self.0.lost.is_cancelled()
    }

    fn key(&self, name: &FileName) -> Key {
        self.contents().join(name.as_str())
    }

    fn contents(&self) -> Key {
        self.0.prefix.clone().join("contents")
    }
}

async fn turn(turns: &Semaphore) -> Result<SemaphorePermit<'_>, Refusal> {
    let turn = timeout(TURN_TIMEOUT, turns.acquire()).await;
    turn.ok().and_then(Result::ok).ok_or_else(|| {
        let message = "The bucket with the contents does not keep up; try again later.";
        Refusal::new(Code::SlowDown, message)
    })
}
