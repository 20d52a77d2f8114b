//! The headers that an object is stored with, and answered with.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    refusal::{Code, Refusal},
    request::Query,
    store::Metadata,
};

const META: &str = "x-cos-meta-";
/// All names and values of `x-cos-meta-…` together, as in the cloud.
const META_BYTES_MAX: usize = 2 << 10;
const DEFAULT_TYPE: &str = "application/octet-stream";

/// Headers that are stored beside `x-cos-meta-…`, each with the parameter that overrides it in an
/// answer.
const STORED: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "response-content-type"),
    (header::CACHE_CONTROL, "response-cache-control"),
    (header::CONTENT_DISPOSITION, "response-content-disposition"),
    (header::CONTENT_ENCODING, "response-content-encoding"),
    (header::CONTENT_LANGUAGE, "response-content-language"),
    (header::EXPIRES, "response-expires"),
];

/// What `headers` say about an object.
pub(super) fn read(headers: &HeaderMap) -> Result<Metadata, Refusal> {
    let is_stored = |name: &HeaderName| STORED.iter().any(|(stored, _)| stored == name);
    let (mut metadata, mut meta_bytes) = (Metadata::new(), 0);
    for (name, value) in headers {
        let meta = name.as_str().strip_prefix(META);
        if value.is_empty() || (meta.is_none() && !is_stored(name)) {
            continue;
        }
        meta_bytes += meta.map_or(0, |meta| meta.len() + value.len());
        let text = str::from_utf8(value.as_bytes())
            .map_err(|_| Refusal::argument(format!("The header {name} is not in UTF-8.")))?;
        metadata.push((name.as_str().to_owned(), text.to_owned()));
    }
    if meta_bytes > META_BYTES_MAX {
        let message = format!("Names and values of {META}… have more than {META_BYTES_MAX} bytes.");
        return Err(Refusal::new(Code::MetadataTooLarge, message));
    }
    Ok(metadata)
}

/// Writes `metadata` into the headers of an answer. Parameters in `query` override some.
pub(super) fn write(metadata: &Metadata, query: &Query, headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(DEFAULT_TYPE));
    for (name, value) in metadata {
        insert(headers, name, value);
    }
    for (name, parameter) in &STORED {
        if let Some(value) = query.get(parameter).filter(|value| !value.is_empty()) {
            insert(headers, name.as_str(), value);
        }
    }
}

/// What is no header is left out: it stood in a URL.
fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
        headers.insert(name, value);
    }
}
