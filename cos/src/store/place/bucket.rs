//! Contents as objects in a bucket of S3, or of another store with the S3 protocol.
//!
//! The bucket may be lost to this store in one way only: that two catalogs name its objects, of
//! which each removes what the other one needs. So the bucket says whose it is.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path as Key,
};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::{Groups, Place};
use crate::{settings::BucketSettings, store::file_name::FileName};

/// Bytes of one request of an upload. S3 wants 5 MiB or more, but of the last one.
const PART_BYTES: usize = 8 << 20;
const PIECE_BYTES: u64 = 1 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Of one request, with a part in it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// A client waits meanwhile.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);
const RETRIES_MAX: usize = 3;
/// How many objects are removed at once.
const REMOVALS: usize = 8;

/// A bucket with the contents.
#[derive(Debug)]
pub(in crate::store) struct Bucket {
    client: AmazonS3,
    prefix: Key,
    runtime: Handle,
    /// Removals that are under way.
    removals: TaskTracker,
}

impl Bucket {
    /// A client of the bucket for the catalog with this id. The bucket is claimed for the catalog,
    /// or has been before. Called on a thread that may block.
    pub(in crate::store) fn open(
        settings: &BucketSettings,
        catalog: &str,
        removals: TaskTracker,
    ) -> io::Result<Self> {
        let client = client(settings).map_err(io::Error::other)?;
        let prefix = Key::from(settings.prefix.as_str());
        let place = Self { client, prefix, runtime: Handle::current(), removals };
        place.runtime.block_on(place.claim(catalog))?;
        Ok(place)
    }

    /// Makes sure that the objects below the prefix are of this catalog.
    async fn claim(&self, catalog: &str) -> io::Result<()> {
        let owner = self.prefix.clone().join("owner");
        match self.client.get(&owner).await {
            Ok(found) => {
                let found = found.bytes().await.map_err(io::Error::other)?;
                return if found == catalog.as_bytes() { Ok(()) } else { Err(not_ours()) };
            }
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(io::Error::other(error)),
        }
        let mut others = self.client.list(Some(&self.prefix));
        if others.try_next().await.map_err(io::Error::other)?.is_some() {
            return Err(not_ours());
        }
        let ours = Bytes::copy_from_slice(catalog.as_bytes());
        // Of two that start at once, one has it.
        match self.client.put_opts(&owner, ours.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(()),
            Err(Error::AlreadyExists { .. }) => Err(not_ours()),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    fn key(&self, name: &FileName) -> Key {
        self.contents().join(name.as_str())
    }

    fn contents(&self) -> Key {
        self.prefix.clone().join("contents")
    }

    async fn upload(&self, key: &Key, mut file: File) -> io::Result<()> {
        let first = read_part(&mut file)?;
        if first.len() < PART_BYTES {
            self.client.put(key, PutPayload::from(first)).await?;
            return Ok(());
        }
        let mut upload = self.client.put_multipart(key).await?;
        let mut part = first;
        let sent = async {
            while !part.is_empty() {
                upload.put_part(PutPayload::from(part)).await?;
                part = read_part(&mut file)?;
            }
            upload.complete().await?;
            Ok(())
        };
        let sent: io::Result<()> = sent.await;
        if sent.is_err() {
            // If this fails too, the parts stay in the bucket, where nobody sees them.
            let _ = upload.abort().await;
        }
        sent
    }
}

impl Place for Bucket {
    fn put(&self, name: &FileName, draft: &Path, _: &File) -> io::Result<()> {
        self.runtime.block_on(self.upload(&self.key(name), File::open(draft)?))?;
        fs::remove_file(draft)
    }

    fn copy(&self, from: &FileName, to: &FileName, _: &Path) -> io::Result<()> {
        Ok(self.runtime.block_on(self.client.copy(&self.key(from), &self.key(to)))?)
    }

    fn read(&self, name: &FileName, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let range = offset..offset + bytes.len() as u64;
        let read = self.runtime.block_on(self.client.get_range(&self.key(name), range))?;
        if read.len() != bytes.len() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        bytes.copy_from_slice(&read);
        Ok(())
    }

    fn remove(&self, names: Vec<FileName>) {
        let keys: Vec<Key> = names.iter().map(|name| self.key(name)).collect();
        if keys.is_empty() {
            return;
        }
        let client = self.client.clone();
        let removal = async move {
            let removed = stream::iter(keys).map(|key| {
                let client = client.clone();
                async move {
                    match client.delete(&key).await {
                        Ok(()) | Err(Error::NotFound { .. }) => {}
                        Err(error) => {
                            warn!(%error, "an object that is not needed could not be removed");
                        }
                    }
                }
            });
            removed.buffer_unordered(REMOVALS).collect::<()>().await;
        };
        self.removals.spawn_on(removal, &self.runtime);
    }

    fn groups(&self) -> io::Result<Groups<'_>> {
        let names = self.client.list(Some(&self.contents())).try_filter_map(|object| async move {
            Ok(object.location.filename().map(str::to_owned))
        });
        let names: Vec<String> = self.runtime.block_on(names.try_collect())?;
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

    fn piece_bytes(&self) -> u64 {
        PIECE_BYTES
    }
}

fn client(settings: &BucketSettings) -> Result<AmazonS3, Error> {
    let in_clear = settings.endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme() == "http");
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&settings.bucket)
        .with_access_key_id(&settings.access_key_id)
        .with_secret_access_key(settings.secret_access_key.reveal())
        .with_virtual_hosted_style_request(settings.is_virtual_hosted)
        .with_client_options(
            ClientOptions::new()
                .with_allow_http(in_clear)
                .with_connect_timeout(CONNECT_TIMEOUT)
                .with_timeout(REQUEST_TIMEOUT),
        )
        .with_retry(RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_TIMEOUT,
            ..RetryConfig::default()
        });
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    builder.build()
}

fn read_part(file: &mut File) -> io::Result<Bytes> {
    let mut part = Vec::new();
    file.take(PART_BYTES as u64).read_to_end(&mut part)?;
    Ok(part.into())
}

fn not_ours() -> io::Error {
    io::Error::other(
        "what is below the prefix of store.contents.url is not of the catalog in store.dir; use an \
         empty prefix, or the store.dir with the catalog that it belongs to",
    )
}
