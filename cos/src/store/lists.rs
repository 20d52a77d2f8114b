//! The entries of lists, and the pages in which lists are read.

use std::time::SystemTime;

/// A bucket in the list of buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BucketEntry {
    pub(crate) name: String,
    pub(crate) made_at: SystemTime,
}

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) modified_at: SystemTime,
}

/// An upload in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedUpload {
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) begun_at: SystemTime,
}

/// A part in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedPart {
    pub(crate) number: u32,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) modified_at: SystemTime,
}

/// A page of a list, and what keys have in common up to a delimiter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    pub(crate) prefixes: Vec<String>,
    /// The last entry or prefix of the page, if there is more.
    pub(crate) next: Option<String>,
}
