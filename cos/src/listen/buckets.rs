//! Requests for buckets.

use daemon::{body::RequestBody, http::Body, offload::offload};
use http::{Response, StatusCode};

use super::{
    answer::{Asked, empty, xml as document},
    body::{Digest, read_xml},
};
use crate::{
    refusal::{Code, Refusal},
    request::{ListQuery, check_key},
    xml::{self, Deletion},
};

type Answer = Result<Response<Body>, Refusal>;

pub(super) async fn list_all(asked: &Asked<'_>) -> Answer {
    let service = asked.service;
    let buckets = service.store().buckets().await?;
    Ok(document(xml::buckets(service.owner(), service.region(), &buckets)))
}

pub(super) async fn put(asked: &Asked<'_>) -> Answer {
    asked.service.store().make_bucket(asked.names[0]).await?;
    Ok(empty(StatusCode::OK))
}

pub(super) async fn head(asked: &Asked<'_>) -> Answer {
    asked.service.store().check_bucket(asked.names[0]).await?;
    Ok(empty(StatusCode::OK))
}

pub(super) async fn delete(asked: &Asked<'_>) -> Answer {
    asked.service.store().remove_bucket(asked.names[0]).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn list(asked: &Asked<'_>, query: &ListQuery) -> Answer {
    let bucket = asked.names[0];
    let page = asked.service.store().list(bucket, query).await?;
    check_next(page.next.as_deref(), query.is_encoded)?;
    Ok(document(xml::objects(bucket, query, &page, asked.service.owner())))
}

/// XML cannot hold every character of a key. A list that goes on from another key than the last one
/// would leave objects out.
pub(super) fn check_next(next: Option<&str>, is_encoded: bool) -> Result<(), Refusal> {
    if !is_encoded && next.is_some_and(|next| !xml::can_hold(next)) {
        let message = "The page ends with a key that XML cannot hold; ask with encoding-type=url.";
        return Err(Refusal::argument(message));
    }
    Ok(())
}

/// Deletes several objects in one transaction.
pub(super) async fn delete_objects(asked: &Asked<'_>, body: RequestBody) -> Answer {
    let digest = Digest::of(&asked.head.headers)?.ok_or_else(|| {
        Refusal::new(Code::InvalidDigest, "A delete of several objects needs Content-MD5.")
    })?;
    let body = read_xml(asked, body).await?;
    digest.check_bytes(&body)?;
    let deletion = offload(body.len(), move || Deletion::parse(&body)).await?;
    let keys = deletion.objects.into_iter().map(|object| object.key);
    let (sound, others): (Vec<_>, Vec<_>) = keys.partition(|key| check_key(key).is_ok());
    asked.service.store().remove(asked.names[0], sound.clone()).await?;
    let refused = others.into_iter().map(|key| {
        let message = "The key is too long.".to_owned();
        (key, Code::KeyTooLong.as_str(), message)
    });
    let shown = if deletion.quiet { Vec::new() } else { sound };
    Ok(document(xml::deleted(&shown, &refused.collect::<Vec<_>>())))
}
