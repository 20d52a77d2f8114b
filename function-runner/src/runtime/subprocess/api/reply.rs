//! Reads the reply of a function out of the body of a request, and checks that it is JSON.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use shared::invocation::InvocationFault;

use crate::invocation::{Fault, event};

/// Reads the body. One that is too large is read to its end too: a child whose connection breaks
/// while it writes would take that for the end of the runner.
pub(super) async fn read(mut body: Incoming) -> Result<Bytes, Fault> {
    let mut bytes = Vec::new();
    let mut fits = true;
    while let Some(frame) = body.frame().await {
        let broken = |_| Fault::raised("reply broke off".to_owned());
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        fits &= bytes.len() + data.len() <= event::BYTES_MAX;
        if fits {
            bytes.extend_from_slice(&data);
        }
    }
    if fits {
        return Ok(bytes.into());
    }
    let message = format!("reply is larger than {} bytes", event::BYTES_MAX);
    Err(Fault::new(InvocationFault::ReplyTooLarge, message))
}

/// The reply as text, if it is JSON. An empty body counts as `null`.
pub(super) fn check(body: &Bytes) -> Result<String, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok("null".to_owned());
    }
    if event::is_json(body) {
        return Ok(String::from_utf8_lossy(body).into_owned());
    }
    // Not shown: it may hold what clients say to each other.
    Err(Fault::raised(format!("reply of {} bytes is not JSON; answer with JSON", body.len())))
}
