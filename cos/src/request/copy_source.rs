//! The header `x-cos-copy-source`: which object is copied.

use http::HeaderMap;

use super::{Endpoint, percent::decode};
use crate::refusal::{Code, Refusal};

pub(super) const HEADER: &str = "x-cos-copy-source";

/// The object that is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopySource {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl CopySource {
    /// What `headers` name: a host and a path, which are read as those of a request are. The host
    /// may be missing. It is this object store if `is_own` says so of it.
    pub(super) fn of(
        headers: &HeaderMap,
        is_own: &dyn Fn(&str) -> bool,
    ) -> Result<Option<Self>, Refusal> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        let wrong = || {
            let message = "x-cos-copy-source is not <bucket>.cos.<region>.myqcloud.com/<key>, nor \
                           /<bucket>/<key> behind another host of this object store or none.";
            Refusal::argument(message)
        };
        let text = str::from_utf8(value.as_bytes()).map_err(|_| wrong())?;
        let (text, version) = text.split_once("?versionId=").unwrap_or((text, ""));
        if !version.is_empty() {
            let message = "Versions of objects are not served: x-cos-copy-source has versionId.";
            return Err(Refusal::new(Code::NotImplemented, message));
        }
        let (host, path) = text.split_at(text.find('/').ok_or_else(wrong)?);
        let host = decode(host)?;
        // Another host has another object of this name.
        if !is_own(&host) {
            return Err(wrong());
        }
        match Endpoint::parse(&host, path)? {
            Endpoint::Object { bucket, key } => Ok(Some(Self { bucket, key })),
            Endpoint::Service | Endpoint::Bucket(_) => Err(wrong()),
        }
    }
}
