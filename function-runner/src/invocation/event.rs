//! Reads the event out of a request: with a bound of its size and time, and only if it is JSON.
//!
//! The content of the event is left to the function.

use bytes::Bytes;
use daemon::{
    body::{BodyError, BodyMemory, RequestBody},
    offload::offload,
};
use serde::de::IgnoredAny;
use shared::{invocation::InvocationFault, json_text::json_text};

use super::fault::Fault;

/// The largest event and the largest reply, in bytes (documented).
pub(crate) const BYTES_MAX: usize = 6 * 1024 * 1024;

/// Reads the event.
pub(crate) async fn read(memory: &BodyMemory, body: RequestBody) -> Result<Bytes, Fault> {
    let bad = |message| Fault::new(InvocationFault::BadEvent, message);
    let body = match memory.read(body, BYTES_MAX).await {
        Ok(body) => body,
        Err(error @ (BodyError::NoMemory | BodyError::NoShare)) => {
            return Err(Fault::new(InvocationFault::TooManyRequests, error.to_string()));
        }
        Err(BodyError::TooLarge(limit)) => {
            let message = format!("event is larger than {limit} bytes");
            return Err(Fault::new(InvocationFault::EventTooLarge, message));
        }
        Err(BodyError::Broken(_) | BodyError::NotGzip(_)) => return Err(bad("event broke off")),
        Err(BodyError::TooSlow) => return Err(bad("event did not arrive in time")),
    };
    let event = body.bytes.clone();
    offload(event.len(), move || checked(&event)).await
}

/// The event, if it is JSON.
pub(crate) fn checked(event: &Bytes) -> Result<Bytes, Fault> {
    match json_text(event) {
        Ok(text) if is_json(text) => Ok(event.slice_ref(text)),
        Ok(_) => Err(Fault::new(InvocationFault::BadEvent, "event is not JSON")),
        Err(problem) => {
            let message = format!("event is not JSON: {problem}");
            Err(Fault::new(InvocationFault::BadEvent, message))
        }
    }
}

/// Whether `text` is one JSON value.
pub(crate) fn is_json(text: &[u8]) -> bool {
    // As text and not as bytes: the parser does not check UTF-8 in strings that it skips.
    str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}
