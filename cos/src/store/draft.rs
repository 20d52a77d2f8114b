//! A content that is being written. It takes the memory of one piece, however large it becomes.

use std::{fs, fs::File, io::Write, mem};

use crc_fast::{CrcAlgorithm, Digest as CrcDigest};
use md5::{Digest, Md5};
use tokio::task::spawn_blocking;

use super::{
    Content, Store,
    file_name::FileName,
    files::{Files, Segment},
    place::{Bucket, Place},
};
use crate::refusal::Refusal;

/// How many bytes are written at once.
const PIECE_BYTES: usize = 128 << 10;

/// A content that is being written. Dropping it removes what was written.
#[derive(Debug)]
pub(crate) struct Draft {
    store: Store,
    /// Not yet written.
    piece: Vec<u8>,
    /// Taken while a piece is being written.
    written: Option<Written>,
}

/// What has been written.
struct Written {
    name: FileName,
    files: Files,
    file: Option<File>,
    size: u64,
    md5: Md5,
    crc: CrcDigest,
}

/// What has been written and is not in the bucket yet. Dropping it removes it from the disk.
#[derive(Debug)]
pub(super) struct Unsent {
    bucket: Bucket,
    segment: Segment,
    written: Written,
}

impl Unsent {
    /// Sends it. It is a segment of a content then.
    pub(super) async fn send(self) -> Result<Segment, Refusal> {
        let Self { bucket, segment, written } = self;
        let sent = bucket.put(&segment.file, &written.files.draft_path(&segment.file)).await;
        // Removing a large file takes time. A panic, or the end of the process, is no matter.
        let _ = spawn_blocking(move || drop(written)).await;
        sent.map(|()| segment)
    }
}

impl Draft {
    pub(super) fn new(store: Store) -> Self {
        let files = store.0.files.clone();
        Self { store, piece: Vec::new(), written: Some(Written::new(files)) }
    }

    /// Adds `bytes` at the end. After an error nothing can be added any more.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if self.piece.len() + bytes.len() > PIECE_BYTES {
            self.flush().await?;
        }
        self.piece.extend_from_slice(bytes);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Refusal> {
        let mut piece = mem::take(&mut self.piece);
        let Some(mut written) = self.written.take() else { return Err(broken()) };
        let work = move |_: &super::Inner| {
            written.write(&piece)?;
            piece.clear();
            Ok((written, piece))
        };
        let (written, piece) = self.store.work(work).await?;
        (self.written, self.piece) = (Some(written), piece);
        Ok(())
    }

    /// The whole content, which nothing names yet.
    pub(crate) async fn finish(mut self) -> Result<Content, Refusal> {
        let piece = mem::take(&mut self.piece);
        let Some(mut written) = self.written.take() else { return Err(broken()) };
        let work = move |_: &super::Inner| {
            written.write(&piece)?;
            written.finish()
        };
        let (content, unsent) = self.store.work(work).await?;
        match unsent {
            None => Ok(content),
            Some(unsent) => self.store.send(content, unsent).await,
        }
    }
}

fn broken() -> Refusal {
    Refusal::internal("a draft that could not be written is used again")
}

impl Written {
    fn new(files: Files) -> Self {
        let crc = CrcDigest::new(CrcAlgorithm::Crc64Xz);
        Self { name: FileName::random(), files, file: None, size: 0, md5: Md5::new(), crc }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if bytes.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.files.begin(&self.name)?),
        };
        file.write_all(bytes)?;
        self.md5.update(bytes);
        self.crc.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// The content, and what has to be sent for it, if it is not in a folder.
    fn finish(mut self) -> Result<(Content, Option<Unsent>), Refusal> {
        let (size, crc) = (self.size, self.crc.finalize());
        let digest = self.md5.finalize_reset();
        let md5 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut content = Content::new(self.files.clone(), Vec::new(), [size, crc], md5);
        // An empty content has no file.
        let Some(file) = &self.file else { return Ok((content, None)) };
        let segment = Segment { file: self.name.clone(), size };
        match self.files.place() {
            Place::Folder(folder) => {
                folder.put(&self.name, &self.files.draft_path(&self.name), file)?;
                content.segments.push(segment);
                self.file = None;
                Ok((content, None))
            }
            Place::Bucket(bucket) => {
                let bucket = bucket.clone();
                Ok((content, Some(Unsent { bucket, segment, written: self })))
            }
        }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if self.file.is_some() {
            // The next start removes what cannot be removed now.
            let _ = fs::remove_file(self.files.draft_path(&self.name));
        }
    }
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, size, .. } = self;
        f.debug_struct("Written").field("name", name).field("size", size).finish_non_exhaustive()
    }
}
