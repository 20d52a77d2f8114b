//! An object: its content, what is said about it, and who reads it.

use std::{mem, sync::Arc, time::SystemTime};

use super::{
    Store,
    files::{Files, Piece, Segment},
};
use crate::refusal::Refusal;

/// The headers with which an object is answered: names in lower case, and values.
pub(crate) type Metadata = Vec<(String, String)>;

/// An object in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// CRC-64 of the content, by ECMA-182.
    pub(crate) crc: u64,
    pub(crate) modified_at: SystemTime,
    pub(crate) metadata: Metadata,
    /// The content, in order.
    pub(super) segments: Vec<Segment>,
}

/// Whether an object may take the place of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overwrite {
    Yes,
    No,
}

/// A content on disk that nothing names yet. Its files are removed when it is dropped, unless it
/// is kept.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) size: u64,
    /// MD5 in hexadecimal digits, or what stands for it.
    pub(crate) etag: String,
    pub(crate) crc: u64,
    pub(super) segments: Vec<Segment>,
    files: Files,
    is_kept: bool,
}

/// A content with what is said about it.
#[derive(Debug)]
pub(crate) struct NewObject {
    pub(crate) content: Content,
    pub(crate) metadata: Metadata,
}

/// What has been stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) etag: String,
    pub(crate) crc: u64,
    pub(crate) modified_at: SystemTime,
}

/// An object that is being read. Its files stay until this is dropped.
#[derive(Debug)]
pub(crate) struct HeldObject {
    object: Object,
    store: Store,
}

impl Content {
    pub(super) fn new(
        files: Files,
        segments: Vec<Segment>,
        [size, crc]: [u64; 2],
        etag: String,
    ) -> Self {
        Self { size, etag, crc, segments, files, is_kept: false }
    }

    /// The catalog names the files now.
    pub(super) fn keep(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        if !self.is_kept {
            let segments = mem::take(&mut self.segments);
            self.files.remove(segments.into_iter().map(|segment| segment.file).collect());
        }
    }
}

impl NewObject {
    pub(super) fn stored(&self, modified_at: SystemTime) -> Stored {
        let Content { etag, crc, .. } = &self.content;
        Stored { etag: etag.clone(), crc: *crc, modified_at }
    }
}

impl HeldObject {
    pub(super) fn hold(object: Object, store: Store) -> Self {
        store.0.files.pin(&object.segments);
        Self { object, store }
    }

    pub(crate) fn object(&self) -> &Object {
        &self.object
    }

    /// How many bytes are read at once.
    pub(crate) fn piece_bytes(&self) -> u64 {
        self.store.0.files.place().piece_bytes()
    }

    /// Reads up to `length_max` bytes from `offset` on, which is before the end.
    pub(crate) async fn read(
        self: &Arc<Self>,
        offset: u64,
        length_max: usize,
    ) -> Result<Vec<u8>, Refusal> {
        self.store.read(self, Piece::find(&self.object.segments, offset, length_max)?).await
    }
}

impl Drop for HeldObject {
    fn drop(&mut self) {
        self.store.0.files.unpin(&self.object.segments);
    }
}
