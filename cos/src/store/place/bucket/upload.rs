//! A file becomes an object of the bucket, with one request or, if it is large, with several. Each
//! request has a turn of its own, so that large files do not keep small ones waiting.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::task::spawn_blocking;

use super::{Bucket, turn};
use crate::{refusal::Refusal, store::file_name::FileName};

/// Bytes of one request. S3 wants 5 MiB or more, but of the last one.
pub(super) const PART_BYTES: usize = 8 << 20;

impl Bucket {
    /// Keeps what stands in `draft` under this name. To be polled to its end, since an upload in
    /// parts is aborted if it fails.
    pub(in crate::store) async fn put(&self, name: &FileName, draft: &Path) -> Result<(), Refusal> {
        let key = self.key(name);
        let draft = draft.to_owned();
        let file = beside(move || File::open(draft)).await?;
        let turn = turn(&self.0.writes).await?;
        let (file, first) = read_part(file).await?;
        if first.len() < PART_BYTES {
            self.0.client.put(&key, PutPayload::from(first)).await.map_err(Refusal::internal)?;
            return Ok(());
        }
        let begun = self.0.client.put_multipart(&key).await;
        let mut upload = begun.map_err(Refusal::internal)?;
        let sent = upload.put_part(PutPayload::from(first)).await.map_err(Refusal::internal);
        drop(turn);
        let completed = match sent {
            Ok(()) => self.send_rest(&mut *upload, file).await,
            Err(refusal) => Err(refusal),
        };
        if completed.is_err() {
            // If this fails too, the parts stay in the bucket, where nobody sees them.
            let _ = upload.abort().await;
        }
        completed
    }

    async fn send_rest(
        &self,
        upload: &mut dyn MultipartUpload,
        mut file: File,
    ) -> Result<(), Refusal> {
        loop {
            let _turn = turn(&self.0.writes).await?;
            let part;
            (file, part) = read_part(file).await?;
            if part.is_empty() {
                upload.complete().await.map_err(Refusal::internal)?;
                return Ok(());
            }
            upload.put_part(PutPayload::from(part)).await.map_err(Refusal::internal)?;
        }
    }
}

/// The next part of a file. It is empty at the end.
async fn read_part(mut file: File) -> io::Result<(File, Bytes)> {
    beside(move || {
        let mut part = Vec::new();
        (&mut file).take(PART_BYTES as u64).read_to_end(&mut part)?;
        Ok((file, part.into()))
    })
    .await
}

/// Does `work` on a thread that may wait for the disk.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // A panic, or the end of the process.
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
