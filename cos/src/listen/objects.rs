//! Requests for objects.

use std::{sync::Arc, time::SystemTime};

use daemon::{
    body::RequestBody,
    http::{Body, full},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::{
    answer::{Asked, empty, xml as document},
    body::receive,
    conditions::{Verdict, failed},
    content::stream,
    metadata, range,
};
use crate::{
    refusal::{Code, Refusal},
    request::CopySource,
    store::{HeldObject, NewObject, Object, Overwrite, Stored},
    xml,
};

type Answer = Result<Response<Body>, Refusal>;

const CRC: HeaderName = HeaderName::from_static("x-cos-hash-crc64ecma");

/// Answers GET and HEAD.
pub(super) async fn get(asked: &Asked<'_>) -> Answer {
    let [bucket, key] = asked.names;
    let headers = &asked.head.headers;
    let held = asked.service.store().get(bucket, key).await?;
    let object = held.object();
    match Verdict::of(headers, "", &object.etag, object.modified_at) {
        Verdict::Met => {}
        Verdict::NotModified => {
            let mut response = empty(StatusCode::NOT_MODIFIED);
            write_state(object, response.headers_mut());
            return Ok(response);
        }
        Verdict::Failed => return Err(failed()),
    }
    let size = object.size;
    let range = match range::parse(asked_range(headers, &object.etag), size) {
        Err(refusal) if refusal.code == Code::InvalidRange && size == 0 => None,
        found => found?,
    };
    let mut response = Response::new(full(""));
    let answered = response.headers_mut();
    metadata::write(&object.metadata, asked.query, answered);
    write_state(object, answered);
    answered.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(range) = &range {
        let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        answered.insert(header::CONTENT_RANGE, text_value(text));
    }
    let is_part = range.is_some();
    let range = range.unwrap_or(0..size);
    answered.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    if is_part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    if asked.head.method != Method::HEAD {
        *response.body_mut() = stream(held, range);
    }
    Ok(response)
}

/// The header `Range`, unless it is meant for another state of the object.
fn asked_range<'h>(headers: &'h HeaderMap, etag: &str) -> Option<&'h str> {
    let is_same = |value: &HeaderValue| {
        value.to_str().is_ok_and(|value| value.trim().trim_matches('"') == etag)
    };
    let is_meant = headers.get(header::IF_RANGE).is_none_or(is_same);
    headers.get(header::RANGE)?.to_str().ok().filter(|_| is_meant)
}

pub(super) async fn put(asked: &Asked<'_>, body: RequestBody) -> Answer {
    let store = asked.service.store();
    let metadata = metadata::read(&asked.head.headers)?;
    // Before the body is read.
    store.check_bucket(asked.names[0]).await?;
    let content = receive(store, asked.head, body).await?;
    let object = NewObject { content, metadata };
    let stored = store.put(asked.names, object, overwrite(&asked.head.headers)).await?;
    Ok(answer_of(&stored, empty(StatusCode::OK)))
}

pub(super) async fn delete(asked: &Asked<'_>) -> Answer {
    let [bucket, key] = asked.names;
    asked.service.store().remove(bucket, vec![key.to_owned()]).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn copy(asked: &Asked<'_>, source: &CopySource) -> Answer {
    let (store, headers) = (asked.service.store(), &asked.head.headers);
    store.check_bucket(asked.names[0]).await?;
    let held = Arc::new(find_source(asked, source).await?);
    let metadata = match headers.get("x-cos-metadata-directive").map(HeaderValue::as_bytes) {
        None | Some(b"" | b"Copy" | b"COPY") => {
            let is_itself = asked.names == [&*source.bucket, &*source.key];
            if is_itself {
                let message = "An object is copied onto itself, and x-cos-metadata-directive is not \
                               Replaced.";
                return Err(Refusal::argument(message));
            }
            held.object().metadata.clone()
        }
        Some(b"Replaced" | b"REPLACED" | b"Replace" | b"REPLACE") => metadata::read(headers)?,
        Some(_) => {
            return Err(Refusal::argument("x-cos-metadata-directive is not Copy or Replaced."));
        }
    };
    let content = store.copy(&held).await?;
    let object = NewObject { content, metadata };
    let stored = store.put(asked.names, object, overwrite(headers)).await?;
    let text = xml::copied("CopyObjectResult", &stored.etag, stored.crc, stored.modified_at);
    Ok(answer_of(&stored, document(text)))
}

/// The object to copy, if it is as the request wants it.
pub(super) async fn find_source(
    asked: &Asked<'_>,
    source: &CopySource,
) -> Result<HeldObject, Refusal> {
    let held = asked.service.store().get(&source.bucket, &source.key).await?;
    let Object { etag, modified_at, .. } = held.object();
    match Verdict::of(&asked.head.headers, "x-cos-copy-source-", etag, *modified_at) {
        Verdict::Met => Ok(held),
        Verdict::NotModified | Verdict::Failed => Err(failed()),
    }
}

fn overwrite(headers: &HeaderMap) -> Overwrite {
    match headers.get("x-cos-forbid-overwrite") {
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"true") => Overwrite::No,
        Some(_) | None => Overwrite::Yes,
    }
}

/// `response` with what has been stored.
pub(super) fn answer_of(stored: &Stored, mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::ETAG, quoted(&stored.etag));
    headers.insert(CRC, stored.crc.into());
    response
}

fn write_state(object: &Object, headers: &mut HeaderMap) {
    headers.insert(header::ETAG, quoted(&object.etag));
    headers.insert(header::LAST_MODIFIED, date(object.modified_at));
    headers.insert(CRC, object.crc.into());
}

fn quoted(etag: &str) -> HeaderValue {
    text_value(format!("\"{etag}\""))
}

fn date(time: SystemTime) -> HeaderValue {
    text_value(httpdate::fmt_http_date(time))
}

fn text_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits and names are visible ASCII")
}
