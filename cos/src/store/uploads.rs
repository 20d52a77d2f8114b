//! Uploads of objects in parts, of which each is a content.

use std::time::SystemTime;

use super::{Content, ListedPart, ListedUpload, Metadata, Page, Store, Stored};
use crate::{
    refusal::Refusal,
    request::{ListParts, ListUploads},
};

impl Store {
    /// Begins an upload. Returns its id.
    pub(crate) async fn begin_upload(
        &self,
        [bucket, key]: [&str; 2],
        metadata: Metadata,
    ) -> Result<String, Refusal> {
        let names = [bucket, key].map(str::to_owned);
        let now = SystemTime::now();
        self.change(move |inner| inner.catalog().begin_upload(&names, &metadata, now)).await
    }

    /// Fails if there is no such upload, before its part is read.
    pub(crate) async fn check_upload(
        &self,
        [bucket, key]: [&str; 2],
        upload: &str,
    ) -> Result<(), Refusal> {
        let (names, upload) = ([bucket, key].map(str::to_owned), upload.to_owned());
        self.work(move |inner| inner.catalog().check_upload(&names, &upload)).await
    }

    /// Puts a part in place of the one with its number, if there is one.
    pub(crate) async fn put_part(
        &self,
        [bucket, key]: [&str; 2],
        upload: &str,
        number: u32,
        mut content: Content,
    ) -> Result<Stored, Refusal> {
        let (names, upload) = ([bucket, key].map(str::to_owned), upload.to_owned());
        self.change(move |inner| {
            let modified_at = SystemTime::now();
            let stored = Stored { etag: content.etag.clone(), crc: content.crc, modified_at };
            let replaced = inner.catalog().put_part(&names, &upload, number, &content, &stored)?;
            content.keep();
            inner.files.remove(replaced);
            Ok(stored)
        })
        .await
    }

    pub(crate) async fn list_parts(
        &self,
        [bucket, key]: [&str; 2],
        query: &ListParts,
    ) -> Result<Page<ListedPart>, Refusal> {
        let (names, query) = ([bucket, key].map(str::to_owned), query.clone());
        self.work(move |inner| inner.catalog().list_parts(&names, &query)).await
    }

    pub(crate) async fn list_uploads(
        &self,
        bucket: &str,
        query: &ListUploads,
    ) -> Result<Page<ListedUpload>, Refusal> {
        let (bucket, query) = (bucket.to_owned(), query.clone());
        self.work(move |inner| inner.catalog().list_uploads(&bucket, &query)).await
    }

    /// Makes an object of these parts, given by number and `ETag`, and ends the upload.
    pub(crate) async fn complete_upload(
        &self,
        [bucket, key]: [&str; 2],
        upload: &str,
        parts: Vec<(u32, String)>,
    ) -> Result<Stored, Refusal> {
        let (names, upload) = ([bucket, key].map(str::to_owned), upload.to_owned());
        let now = SystemTime::now();
        self.change(move |inner| {
            let (stored, unused) = inner.catalog().complete_upload(&names, &upload, &parts, now)?;
            inner.files.remove(unused);
            Ok(stored)
        })
        .await
    }

    pub(crate) async fn abort_upload(
        &self,
        [bucket, key]: [&str; 2],
        upload: &str,
    ) -> Result<(), Refusal> {
        let (names, upload) = ([bucket, key].map(str::to_owned), upload.to_owned());
        self.change(move |inner| {
            let unused = inner.catalog().abort_upload(&names, &upload)?;
            inner.files.remove(unused);
            Ok(())
        })
        .await
    }
}
