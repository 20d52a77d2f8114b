//! Requests for uploads in parts.

use std::sync::Arc;

use daemon::{body::RequestBody, http::Body, offload::offload};
use http::{HeaderValue, Response, StatusCode};

use super::{
    answer::{Asked, empty, xml as document},
    body::{Digest, read_xml, receive},
    buckets::check_next,
    metadata,
    objects::{answer_of, find_source},
    range,
};
use crate::{
    refusal::Refusal,
    request::{CopySource, ListParts, ListUploads, encode},
    xml::{self, Completion},
};

type Answer = Result<Response<Body>, Refusal>;

pub(super) async fn list(asked: &Asked<'_>, query: &ListUploads) -> Answer {
    let bucket = asked.names[0];
    let page = asked.service.store().list_uploads(bucket, query).await?;
    check_next(page.next.as_deref(), query.is_encoded)?;
    Ok(document(xml::uploads(bucket, query, &page, asked.service.owner())))
}

pub(super) async fn begin(asked: &Asked<'_>) -> Answer {
    let metadata = metadata::read(&asked.head.headers)?;
    let upload = asked.service.store().begin_upload(asked.names, metadata).await?;
    Ok(document(xml::begun(asked.names, &upload)))
}

pub(super) async fn put(asked: &Asked<'_>, upload: &str, number: u32, body: RequestBody) -> Answer {
    let store = asked.service.store();
    // Before the body is read.
    store.check_upload(asked.names, upload).await?;
    let content = receive(store, asked.head, body).await?;
    let stored = store.put_part(asked.names, upload, number, content).await?;
    Ok(answer_of(&stored, empty(StatusCode::OK)))
}

/// Copies an object, or a range of it, into a part.
pub(super) async fn copy(
    asked: &Asked<'_>,
    upload: &str,
    number: u32,
    source: &CopySource,
) -> Answer {
    let store = asked.service.store();
    store.check_upload(asked.names, upload).await?;
    let held = Arc::new(find_source(asked, source).await?);
    let size = held.object().size;
    let header = asked.head.headers.get("x-cos-copy-source-range").map(HeaderValue::to_str);
    let header = header.transpose().map_err(|_| no_range())?;
    let mut rest = match range::parse(header, size)? {
        None if header.is_some_and(|text| !text.is_empty()) => return Err(no_range()),
        found => found.unwrap_or(0..size),
    };
    let mut draft = store.draft();
    while !rest.is_empty() {
        let length_max = held.piece_bytes().min(rest.end - rest.start);
        let piece =
            held.read(rest.start, usize::try_from(length_max).unwrap_or(usize::MAX)).await?;
        draft.write(&piece).await?;
        rest.start += piece.len() as u64;
    }
    let content = draft.finish().await?;
    let stored = store.put_part(asked.names, upload, number, content).await?;
    let text = xml::copied("CopyPartResult", &stored.etag, stored.crc, stored.modified_at);
    Ok(answer_of(&stored, document(text)))
}

fn no_range() -> Refusal {
    Refusal::argument("x-cos-copy-source-range is not bytes=<first>-<last>.")
}

pub(super) async fn list_parts(asked: &Asked<'_>, query: &ListParts) -> Answer {
    let page = asked.service.store().list_parts(asked.names, query).await?;
    Ok(document(xml::parts(asked.names, query, &page, asked.service.owner())))
}

pub(super) async fn complete(asked: &Asked<'_>, upload: &str, body: RequestBody) -> Answer {
    let digest = Digest::of(&asked.head.headers)?;
    let body = read_xml(asked, body).await?;
    digest.map_or(Ok(()), |digest| digest.check_bytes(&body))?;
    let parts = offload(body.len(), move || Completion::parse(&body)).await?.parts;
    let parts = parts.iter().map(|part| (part.number, part.etag().to_owned())).collect();
    let stored = asked.service.store().complete_upload(asked.names, upload, parts).await?;
    let key = encode(asked.names[1].as_bytes()).replace("%2F", "/");
    let location = format!("http://{}/{key}", asked.host);
    Ok(answer_of(&stored, document(xml::completed(asked.names, &location, &stored.etag))))
}

pub(super) async fn abort(asked: &Asked<'_>, upload: &str) -> Answer {
    asked.service.store().abort_upload(asked.names, upload).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
