//! Objects in the catalog.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    Catalog, bucket_id,
    columns::{crc, key as key_of, metadata, metadata_text, signed, time, to_millis, unsigned},
    pages::{Pager, after},
    take_segments,
};
use crate::{
    refusal::{Code, Refusal},
    request::ListQuery,
    store::{
        Listed, Metadata, NewObject, Object, Overwrite, Page, Stored, file_name::FileName,
        files::Segment,
    },
};

impl Catalog {
    /// Puts an object. Returns the files of the one that it replaces.
    pub(in crate::store) fn put(
        &mut self,
        [bucket, key]: [&str; 2],
        object: &NewObject,
        stored: &Stored,
        overwrite: Overwrite,
    ) -> Result<Vec<FileName>, Refusal> {
        let transaction = self.0.transaction()?;
        let bucket = bucket_id(&transaction, bucket)?;
        let replaced = take(&transaction, bucket, key)?;
        if overwrite == Overwrite::No && replaced.is_some() {
            let message = "An object has this key, and x-cos-forbid-overwrite is true.";
            return Err(Refusal::new(Code::FileAlreadyExists, message));
        }
        let segments = object.content.segments.iter().cloned();
        let size = object.content.size;
        insert(&transaction, bucket, key, stored, size, &object.metadata, segments)?;
        transaction.commit()?;
        Ok(replaced.unwrap_or_default())
    }

    pub(in crate::store) fn get(&self, bucket: &str, key: &str) -> Result<Object, Refusal> {
        let bucket = self.bucket_id(bucket)?;
        let text = "select id, size, etag, crc, modified_at, metadata from objects
                    where bucket = ?1 and key = ?2";
        let found =
            self.0.prepare_cached(text)?.query_row(params![bucket, key.as_bytes()], |row| {
                let object = Object {
                    size: unsigned(row, 1)?,
                    etag: row.get(2)?,
                    crc: crc(row, 3)?,
                    modified_at: time(row, 4)?,
                    metadata: metadata(row, 5)?,
                    segments: Vec::new(),
                };
                Ok((row.get::<_, i64>(0)?, object))
            });
        let (id, mut object) = found.optional()?.ok_or_else(Refusal::no_such_key)?;
        let text = "select file, size from segments where object = ?1 order by position";
        let mut statement = self.0.prepare_cached(text)?;
        let segments = statement.query_map([id], |row| {
            Ok(Segment { file: FileName::of(row.get(0)?), size: unsigned(row, 1)? })
        })?;
        object.segments = segments.collect::<Result<_, _>>()?;
        Ok(object)
    }

    /// Removes objects. Returns their files.
    pub(in crate::store) fn remove(
        &mut self,
        bucket: &str,
        keys: &[String],
    ) -> Result<Vec<FileName>, Refusal> {
        let transaction = self.0.transaction()?;
        let bucket = bucket_id(&transaction, bucket)?;
        let mut files = Vec::new();
        for key in keys {
            files.extend(take(&transaction, bucket, key)?.unwrap_or_default());
        }
        transaction.commit()?;
        Ok(files)
    }

    pub(in crate::store) fn list(
        &self,
        bucket: &str,
        query: &ListQuery,
    ) -> Result<Page<Listed>, Refusal> {
        let bucket = self.bucket_id(bucket)?;
        let pager = Pager { prefix: &query.prefix, delimiter: &query.delimiter, max: query.max };
        let text = "select key, size, etag, modified_at from objects
                    where bucket = ?1 and key >= ?2 order by key limit ?3";
        let mut statement = self.0.prepare_cached(text)?;
        let start = pager.start(&query.marker, after(&query.marker));
        pager.page(start, |(from, _), limit| {
            let rows = statement.query_map(params![bucket, from, signed(limit)], |row| {
                let (key, size) = (key_of(row, 0)?, unsigned(row, 1)?);
                let (etag, modified_at) = (row.get(2)?, time(row, 3)?);
                Ok((key.clone(), Listed { key, size, etag, modified_at }))
            })?;
            rows.collect()
        })
    }
}

/// Takes an object out, if it is there, and returns its files.
pub(super) fn take(
    transaction: &Transaction<'_>,
    bucket: i64,
    key: &str,
) -> rusqlite::Result<Option<Vec<FileName>>> {
    let text = "delete from objects where bucket = ?1 and key = ?2 returning id";
    let mut statement = transaction.prepare_cached(text)?;
    let mut ids = statement.query_map(params![bucket, key.as_bytes()], |row| row.get(0))?;
    let id = ids.next().transpose()?;
    // The statement is done when it has no more rows.
    drop(ids);
    id.map(|id| take_segments(transaction, id)).transpose()
}

/// Adds an object whose key is free.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    bucket: i64,
    key: &str,
    stored: &Stored,
    size: u64,
    metadata: &Metadata,
    segments: impl Iterator<Item = Segment>,
) -> rusqlite::Result<()> {
    let text = "insert into objects (bucket, key, size, etag, crc, modified_at, metadata)
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let Stored { etag, crc, modified_at } = stored;
    let object = transaction.prepare_cached(text)?.insert(params![
        bucket,
        key.as_bytes(),
        signed(size),
        etag,
        crc.cast_signed(),
        to_millis(*modified_at),
        metadata_text(metadata),
    ])?;
    let text = "insert into segments (object, position, file, size) values (?1, ?2, ?3, ?4)";
    let mut statement = transaction.prepare_cached(text)?;
    for (position, Segment { file, size }) in (0_i64..).zip(segments) {
        statement.execute(params![object, position, file.as_str(), signed(size)])?;
    }
    Ok(())
}
