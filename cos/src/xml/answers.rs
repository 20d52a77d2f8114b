//! The XML documents with which requests are answered.

use std::time::{Duration, SystemTime};

use super::writer::Writer;
use crate::{
    request::{ListParts, ListQuery, ListUploads, encode},
    store::{BucketEntry, Listed, ListedPart, ListedUpload, Page},
};

/// The class of all objects.
const CLASS: &str = "STANDARD";

pub(crate) fn error(code: &str, message: &str, resource: &str, id: &str) -> String {
    Writer::document("Error", |xml| {
        xml.text("Code", code);
        xml.text("Message", message);
        xml.text("Resource", resource);
        xml.text("RequestId", id);
        xml.text("TraceId", id);
    })
}

pub(crate) fn buckets(owner: &str, region: &str, buckets: &[BucketEntry]) -> String {
    Writer::document("ListAllMyBucketsResult", |xml| {
        write_owner(xml, "Owner", owner);
        xml.element("Buckets", |xml| {
            for BucketEntry { name, made_at } in buckets {
                xml.element("Bucket", |xml| {
                    xml.text("Name", name);
                    xml.text("Location", region);
                    xml.text("CreationDate", &seconds(*made_at));
                    xml.text("BucketType", "cos");
                });
            }
        });
        xml.flag("IsTruncated", false);
    })
}

pub(crate) fn objects(bucket: &str, query: &ListQuery, page: &Page<Listed>, owner: &str) -> String {
    let key = |text: &str| shown(text, query.is_encoded);
    Writer::document("ListBucketResult", |xml| {
        xml.text("Name", bucket);
        if query.is_encoded {
            xml.text("EncodingType", "url");
        }
        xml.text("Prefix", &key(&query.prefix));
        xml.text("Marker", &key(&query.marker));
        if !query.delimiter.is_empty() {
            xml.text("Delimiter", &key(&query.delimiter));
        }
        xml.number("MaxKeys", query.max as u64);
        xml.flag("IsTruncated", page.next.is_some());
        if let Some(next) = &page.next {
            xml.text("NextMarker", &key(next));
        }
        for Listed { key: name, size, etag, modified_at } in &page.entries {
            xml.element("Contents", |xml| {
                xml.text("Key", &key(name));
                xml.text("LastModified", &millis(*modified_at));
                xml.text("ETag", &quoted(etag));
                xml.number("Size", *size);
                write_owner(xml, "Owner", owner);
                xml.text("StorageClass", CLASS);
            });
        }
        write_prefixes(xml, &page.prefixes, query.is_encoded);
    })
}

pub(crate) fn uploads(
    bucket: &str,
    query: &ListUploads,
    page: &Page<ListedUpload>,
    owner: &str,
) -> String {
    let key = |text: &str| shown(text, query.is_encoded);
    Writer::document("ListMultipartUploadsResult", |xml| {
        xml.text("Bucket", bucket);
        if query.is_encoded {
            xml.text("EncodingType", "url");
        }
        xml.text("KeyMarker", &key(&query.key_marker));
        xml.text("UploadIdMarker", &query.upload_marker);
        if let Some(next) = &page.next {
            xml.text("NextKeyMarker", &key(next));
            let is_last = |upload: &&ListedUpload| upload.key == *next;
            let last = page.entries.last().filter(is_last);
            xml.text("NextUploadIdMarker", last.map_or("", |upload| &upload.id));
        }
        xml.number("MaxUploads", query.max as u64);
        xml.flag("IsTruncated", page.next.is_some());
        xml.text("Prefix", &key(&query.prefix));
        if !query.delimiter.is_empty() {
            xml.text("Delimiter", &key(&query.delimiter));
        }
        for ListedUpload { key: name, id, begun_at } in &page.entries {
            xml.element("Upload", |xml| {
                xml.text("Key", &key(name));
                xml.text("UploadId", id);
                xml.text("StorageClass", CLASS);
                write_owner(xml, "Initiator", owner);
                write_owner(xml, "Owner", owner);
                xml.text("Initiated", &millis(*begun_at));
            });
        }
        write_prefixes(xml, &page.prefixes, query.is_encoded);
    })
}

pub(crate) fn parts(
    [bucket, name]: [&str; 2],
    query: &ListParts,
    page: &Page<ListedPart>,
    owner: &str,
) -> String {
    Writer::document("ListPartsResult", |xml| {
        xml.text("Bucket", bucket);
        if query.is_encoded {
            xml.text("EncodingType", "url");
        }
        xml.text("Key", &shown(name, query.is_encoded));
        xml.text("UploadId", &query.upload);
        write_owner(xml, "Owner", owner);
        xml.number("PartNumberMarker", u64::from(query.marker));
        write_owner(xml, "Initiator", owner);
        xml.text("StorageClass", CLASS);
        if let Some(next) = &page.next {
            xml.text("NextPartNumberMarker", next);
        }
        xml.number("MaxParts", query.max as u64);
        xml.flag("IsTruncated", page.next.is_some());
        for ListedPart { number, size, etag, modified_at } in &page.entries {
            xml.element("Part", |xml| {
                xml.number("PartNumber", u64::from(*number));
                xml.text("LastModified", &millis(*modified_at));
                xml.text("ETag", &quoted(etag));
                xml.number("Size", *size);
            });
        }
    })
}

pub(crate) fn begun([bucket, key]: [&str; 2], upload: &str) -> String {
    Writer::document("InitiateMultipartUploadResult", |xml| {
        xml.text("Bucket", bucket);
        xml.text("Key", key);
        xml.text("UploadId", upload);
    })
}

pub(crate) fn completed([bucket, key]: [&str; 2], location: &str, etag: &str) -> String {
    Writer::document("CompleteMultipartUploadResult", |xml| {
        xml.text("Location", location);
        xml.text("Bucket", bucket);
        xml.text("Key", key);
        xml.text("ETag", &quoted(etag));
    })
}

/// The answer to a copy: its root is `CopyObjectResult` or `CopyPartResult`.
pub(crate) fn copied(root: &str, etag: &str, crc: u64, modified_at: SystemTime) -> String {
    Writer::document(root, |xml| {
        xml.text("ETag", &quoted(etag));
        xml.number("CRC64", crc);
        xml.text("LastModified", &seconds(modified_at));
    })
}

/// The answer to a delete of several objects. `refused` are the keys that stayed, with code and
/// message.
pub(crate) fn deleted(deleted: &[String], refused: &[(String, &str, String)]) -> String {
    Writer::document("DeleteResult", |xml| {
        for key in deleted {
            xml.element("Deleted", |xml| xml.text("Key", key));
        }
        for (key, code, message) in refused {
            xml.element("Error", |xml| {
                xml.text("Key", key);
                xml.text("Code", code);
                xml.text("Message", message);
            });
        }
    })
}

fn write_owner(xml: &mut Writer, name: &str, owner: &str) {
    xml.element(name, |xml| {
        xml.text("ID", owner);
        xml.text("DisplayName", owner);
    });
}

fn write_prefixes(xml: &mut Writer, prefixes: &[String], is_encoded: bool) {
    for prefix in prefixes {
        xml.element("CommonPrefixes", |xml| xml.text("Prefix", &shown(prefix, is_encoded)));
    }
}

/// A key, or a part of one, as a list shows it.
fn shown(key: &str, is_encoded: bool) -> String {
    if is_encoded { encode(key.as_bytes()) } else { key.to_owned() }
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

fn seconds(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Lists have milliseconds that are all zero, so that they say the same as `Last-Modified`.
fn millis(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let whole = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
    humantime::format_rfc3339_millis(whole).to_string()
}
