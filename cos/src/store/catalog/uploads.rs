//! Unfinished uploads in the catalog, and their parts.

use std::{collections::HashMap, time::SystemTime};

use crc_fast::{CrcAlgorithm, checksum_combine};
use md5::{Digest, Md5};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    Catalog, bucket_id,
    columns::{crc, key as key_of, metadata, metadata_text, signed, time, to_millis, unsigned},
    objects::{insert, take},
    pages::{HasPosition, Pager, Position, after},
};
use crate::{
    refusal::{Code, Refusal},
    request::{ListParts, ListUploads},
    store::{
        Content, Listed, ListedPart, ListedUpload, Metadata, Page, Stored, file_name::FileName,
        files::Segment,
    },
};

/// The least size of a part that is not the last one, as in the cloud.
const PART_BYTES_MIN: u64 = 1 << 20;

/// A part of an upload.
struct Part {
    /// None if the part is empty.
    file: Option<FileName>,
    size: u64,
    etag: String,
    crc: u64,
}

impl Catalog {
    pub(in crate::store) fn begin_upload(
        &mut self,
        [bucket, key]: &[String; 2],
        metadata: &Metadata,
        now: SystemTime,
    ) -> Result<String, Refusal> {
        let bucket = self.bucket_id(bucket)?;
        let now = to_millis(now);
        // Uploads of one key are listed in the order in which they began.
        let id = format!("{now:013}{}", Uuid::new_v4().simple());
        let text = "insert into uploads (id, bucket, key, begun_at, metadata)
                    values (?1, ?2, ?3, ?4, ?5)";
        let metadata = metadata_text(metadata);
        self.0.prepare_cached(text)?.execute(params![id, bucket, key.as_bytes(), now, metadata])?;
        Ok(id)
    }

    pub(in crate::store) fn check_upload(
        &self,
        names: &[String; 2],
        upload: &str,
    ) -> Result<(), Refusal> {
        find(&self.0, names, upload).map(drop)
    }

    /// Puts a part. Returns the files of the one that it replaces.
    pub(in crate::store) fn put_part(
        &mut self,
        names: &[String; 2],
        upload: &str,
        number: u32,
        content: &Content,
        stored: &Stored,
    ) -> Result<Vec<FileName>, Refusal> {
        let transaction = self.0.transaction()?;
        find(&transaction, names, upload)?;
        let text = "delete from parts where upload = ?1 and number = ?2 returning file";
        let replaced = take_files(&transaction, text, params![upload, number])?;
        let text = "insert into parts (upload, number, file, size, etag, crc, modified_at)
                    values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        transaction.prepare_cached(text)?.execute(params![
            upload,
            number,
            // A part is written as one file.
            content.segments.first().map(|segment| segment.file.as_str()),
            signed(content.size),
            stored.etag,
            stored.crc.cast_signed(),
            to_millis(stored.modified_at),
        ])?;
        transaction.commit()?;
        Ok(replaced)
    }

    pub(in crate::store) fn list_parts(
        &self,
        names: &[String; 2],
        query: &ListParts,
    ) -> Result<Page<ListedPart>, Refusal> {
        find(&self.0, names, &query.upload)?;
        let text = "select number, size, etag, modified_at from parts
                    where upload = ?1 and number > ?2 order by number limit ?3";
        let mut statement = self.0.prepare_cached(text)?;
        let limit = signed(query.max as u64 + 1);
        let rows = statement.query_map(params![query.upload, query.marker, limit], |row| {
            Ok(ListedPart {
                number: row.get(0)?,
                size: unsigned(row, 1)?,
                etag: row.get(2)?,
                modified_at: time(row, 3)?,
            })
        })?;
        let mut entries: Vec<ListedPart> = rows.collect::<Result<_, _>>()?;
        let has_more = entries.len() > query.max && query.max > 0;
        entries.truncate(query.max);
        let last = entries.last().map(|part| part.number.to_string());
        Ok(Page { entries, prefixes: Vec::new(), next: last.filter(|_| has_more) })
    }

    pub(in crate::store) fn list_uploads(
        &self,
        bucket: &str,
        query: &ListUploads,
    ) -> Result<Page<ListedUpload>, Refusal> {
        let bucket = self.bucket_id(bucket)?;
        let pager = Pager { prefix: &query.prefix, delimiter: &query.delimiter, max: query.max };
        let text = "select key, id, begun_at from uploads
                    where bucket = ?1 and (key, id) > (?2, ?3) order by key, id limit ?4";
        let mut statement = self.0.prepare_cached(text)?;
        let following = if query.upload_marker.is_empty() {
            after(&query.key_marker)
        } else {
            (query.key_marker.as_bytes().to_vec(), query.upload_marker.clone())
        };
        let start = pager.start(&query.key_marker, following);
        pager.page(start, |(from, id), limit| {
            let rows = statement.query_map(params![bucket, from, id, signed(limit)], |row| {
                let key = key_of(row, 0)?;
                let upload =
                    ListedUpload { key: key.clone(), id: row.get(1)?, begun_at: time(row, 2)? };
                Ok((key, upload))
            })?;
            rows.collect()
        })
    }

    /// Makes an object of these parts, and ends the upload. Returns the files that nothing names
    /// any more.
    pub(in crate::store) fn complete_upload(
        &mut self,
        names: &[String; 2],
        upload: &str,
        parts: &[(u32, String)],
        now: SystemTime,
    ) -> Result<(Stored, Vec<FileName>), Refusal> {
        let transaction = self.0.transaction()?;
        let (bucket, metadata) = find(&transaction, names, upload)?;
        let mut there = take_parts(&transaction, upload)?;
        let chosen = choose(&mut there, parts)?;
        let size = chosen.iter().map(|part| part.size).sum();
        let stored = Stored {
            etag: etag_of(&chosen),
            crc: chosen.iter().fold(0, |all, part| {
                checksum_combine(CrcAlgorithm::Crc64Xz, all, part.crc, part.size)
            }),
            modified_at: now,
        };
        let mut unused = take(&transaction, bucket, &names[1])?.unwrap_or_default();
        unused.extend(there.into_values().filter_map(|part| part.file));
        let segments = chosen
            .into_iter()
            .filter_map(|Part { file, size, .. }| Some(Segment { file: file?, size }));
        insert(&transaction, bucket, &names[1], &stored, size, &metadata, segments)?;
        transaction.execute("delete from uploads where id = ?1", [upload])?;
        transaction.commit()?;
        Ok((stored, unused))
    }

    /// Ends an upload. Returns the files of its parts.
    pub(in crate::store) fn abort_upload(
        &mut self,
        names: &[String; 2],
        upload: &str,
    ) -> Result<Vec<FileName>, Refusal> {
        let transaction = self.0.transaction()?;
        find(&transaction, names, upload)?;
        let text = "delete from parts where upload = ?1 returning file";
        let files = take_files(&transaction, text, params![upload])?;
        transaction.execute("delete from uploads where id = ?1", [upload])?;
        transaction.commit()?;
        Ok(files)
    }
}

impl HasPosition for Listed {
    fn position(&self) -> Position {
        after(&self.key)
    }
}

impl HasPosition for ListedUpload {
    fn position(&self) -> Position {
        (self.key.as_bytes().to_vec(), self.id.clone())
    }
}

/// The bucket and the metadata of an upload of this object.
fn find(
    connection: &Connection,
    [bucket, key]: &[String; 2],
    upload: &str,
) -> Result<(i64, Metadata), Refusal> {
    let bucket = bucket_id(connection, bucket)?;
    let text = "select metadata from uploads where id = ?1 and bucket = ?2 and key = ?3";
    let mut statement = connection.prepare_cached(text)?;
    let found = statement
        .query_row(params![upload, bucket, key.as_bytes()], |row| metadata(row, 0))
        .optional()?;
    Ok((bucket, found.ok_or_else(Refusal::no_such_upload)?))
}

fn take_files(
    transaction: &Transaction<'_>,
    text: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<Vec<FileName>> {
    let mut statement = transaction.prepare_cached(text)?;
    let files = statement.query_map(parameters, |row| row.get::<_, Option<String>>(0))?;
    let files: Vec<_> = files.collect::<Result<_, _>>()?;
    Ok(files.into_iter().flatten().map(FileName::of).collect())
}

/// Takes the parts of an upload out, by their numbers.
fn take_parts(transaction: &Transaction<'_>, upload: &str) -> rusqlite::Result<HashMap<u32, Part>> {
    let text = "delete from parts where upload = ?1 returning number, file, size, etag, crc";
    let mut statement = transaction.prepare_cached(text)?;
    let part = |row: &Row<'_>| {
        let file: Option<String> = row.get(1)?;
        let (file, size) = (file.map(FileName::of), unsigned(row, 2)?);
        Ok((row.get(0)?, Part { file, size, etag: row.get(3)?, crc: crc(row, 4)? }))
    };
    statement.query_map([upload], part)?.collect()
}

/// Takes the parts that the client names out of those that there are.
fn choose(there: &mut HashMap<u32, Part>, named: &[(u32, String)]) -> Result<Vec<Part>, Refusal> {
    let mut chosen = Vec::with_capacity(named.len());
    for (index, (number, etag)) in named.iter().enumerate() {
        let part = there.remove(number).filter(|part| part.etag.eq_ignore_ascii_case(etag));
        let part = part.ok_or_else(|| {
            let message = format!("Part {number} is missing, or has another ETag.");
            Refusal::new(Code::InvalidPart, message)
        })?;
        if part.size < PART_BYTES_MIN && index + 1 < named.len() {
            let message = format!(
                "Part {number} has {} bytes; all parts but the last have at least {PART_BYTES_MIN}.",
                part.size
            );
            return Err(Refusal::new(Code::EntityTooSmall, message));
        }
        chosen.push(part);
    }
    Ok(chosen)
}

/// The `ETag` of an object of parts: the MD5 of their MD5s, and how many there are.
fn etag_of(parts: &[Part]) -> String {
    let mut all = Md5::new();
    for part in parts {
        let (pairs, _) = part.etag.as_bytes().as_chunks::<2>();
        for pair in pairs {
            let digits = str::from_utf8(pair).unwrap_or_default();
            all.update([u8::from_str_radix(digits, 16).unwrap_or_default()]);
        }
    }
    let digest: String = all.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}-{}", parts.len())
}
