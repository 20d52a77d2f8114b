//! Reading the bodies of requests: contents piece by piece, documents whole.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use daemon::{
    body::{BodyError, RequestBody},
    pace::{MinRate, Pace},
};
use http::{HeaderMap, header, request::Parts};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use md5::{Digest as _, Md5};
use tokio::time::{Instant, timeout_at};

use super::answer::Asked;
use crate::{
    refusal::{Code, Refusal},
    store::{Content, Store},
};

/// The largest object that is put at once, and the largest part, as in the cloud.
const CONTENT_BYTES_MAX: u64 = 5 << 30;
/// The largest document: it names ten thousand parts, or a thousand keys.
const XML_BYTES_MAX: usize = 2 << 20;
/// How fast a content must come.
const RATE: MinRate = MinRate { bytes: 16 << 10, timeout: Duration::from_secs(30) };

/// The MD5 that a client says its body has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest([u8; 16]);

impl Digest {
    /// What the header `Content-MD5` says, if it is there.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Refusal> {
        let Some(value) = headers.get("content-md5").filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let bytes = STANDARD.decode(value.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or_else(|| {
            Refusal::new(Code::InvalidDigest, "Content-MD5 is not 16 bytes in Base64.")
        })?;
        Ok(Some(Self(bytes)))
    }

    pub(super) fn check_bytes(self, body: &[u8]) -> Result<(), Refusal> {
        check(self.0 == <[u8; 16]>::from(Md5::digest(body)))
    }

    fn check_hex(self, md5: &str) -> Result<(), Refusal> {
        let said: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        check(said == md5)
    }
}

fn check(is_same: bool) -> Result<(), Refusal> {
    let message = "The Content-MD5 you specified did not match what we received.";
    is_same.then_some(()).ok_or_else(|| Refusal::new(Code::BadDigest, message))
}

/// Writes the body of `head` into the store. It comes in whole, or fails.
pub(super) async fn receive(
    store: &Store,
    head: &Parts,
    mut body: RequestBody,
) -> Result<Content, Refusal> {
    let says_length = head.headers.contains_key(header::CONTENT_LENGTH)
        || head.headers.contains_key(header::TRANSFER_ENCODING);
    if !says_length {
        let message = "You must provide the Content-Length HTTP header.";
        return Err(Refusal::new(Code::MissingContentLength, message));
    }
    let digest = Digest::of(&head.headers)?;
    if body.size_hint().lower() > CONTENT_BYTES_MAX {
        return Err(too_large());
    }
    let mut draft = store.draft();
    let mut total = 0;
    let mut pace = Pace::begin(Instant::now(), RATE, 0);
    while !body.is_end_stream() {
        let frame = timeout_at(pace.deadline(), body.frame()).await.map_err(|_| too_slow())?;
        let Some(frame) = frame else { break };
        let Ok(bytes) = frame.map_err(|_| incomplete())?.into_data() else { continue };
        total += bytes.len() as u64;
        if total > CONTENT_BYTES_MAX {
            return Err(too_large());
        }
        let begun = Instant::now();
        draft.write(&bytes).await?;
        // The client does not wait for itself while its bytes are being written.
        pace.postpone(begun.elapsed());
        pace.moved(Instant::now, total);
    }
    let content = draft.finish().await?;
    if let Some(digest) = digest {
        digest.check_hex(&content.etag)?;
    }
    Ok(content)
}

/// Reads a document whole.
pub(super) async fn read_xml(asked: &Asked<'_>, body: RequestBody) -> Result<Vec<u8>, Refusal> {
    let read = asked.service.memory().read(body, XML_BYTES_MAX).await;
    let held = read.map_err(|error| match error {
        BodyError::NoMemory | BodyError::NoShare => {
            Refusal::new(Code::SlowDown, "Documents of other requests use all memory for them.")
        }
        BodyError::TooLarge(_) => too_large(),
        BodyError::TooSlow => too_slow(),
        BodyError::Broken(_) | BodyError::NotGzip(_) => incomplete(),
    })?;
    Ok(held.bytes.to_vec())
}

fn too_large() -> Refusal {
    Refusal::new(Code::EntityTooLarge, "The body is larger than the largest that is allowed.")
}

fn too_slow() -> Refusal {
    Refusal::new(Code::RequestTimeout, "The body did not arrive in time.")
}

fn incomplete() -> Refusal {
    let message = "You did not provide the number of bytes specified by the Content-Length header.";
    Refusal::new(Code::IncompleteBody, message)
}
