//! The id of an invocation: that of the caller if it is valid, or a new one. And the trace of the
//! caller.

use http::{HeaderMap, HeaderName, HeaderValue};
use shared::invocation::{REQUEST_ID_HEADER, TRACEPARENT_HEADER};
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static(REQUEST_ID_HEADER);
/// Without this bound, callers could make log lines and answers of any size.
pub(crate) const BYTES_MAX: usize = 128;

/// The id of an invocation. It is visible ASCII, which fits into a header, a log line and JSON.
#[derive(Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The id in `headers`, or a new one if there is none or it is not valid.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).filter(|value| is_sound(value.as_bytes()));
        Self(given.cloned().unwrap_or_else(fresh))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("it is visible ASCII")
    }

    /// Puts the id into the headers of the answer.
    pub(crate) fn stamp(self, headers: &mut HeaderMap) {
        headers.insert(HEADER, self.0);
    }
}

/// The trace of the caller, unchanged.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    headers.get(TRACEPARENT_HEADER)?.to_str().ok().map(str::to_owned)
}

fn is_sound(id: &[u8]) -> bool {
    (1..=BYTES_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

fn fresh() -> HeaderValue {
    let mut text = Uuid::encode_buffer();
    let text = Uuid::new_v4().hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).expect("hexadecimal digits and hyphens")
}
