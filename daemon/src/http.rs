//! Small parts for answering HTTP requests: the one body type, and JSON answers.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use serde::Serialize;
use serde_json::json;

/// The body of every answer.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// A body that is complete.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// An answer with a JSON body.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let body = serde_json::to_vec(value).expect("what we answer has only string keys");
    json_bytes(status, body)
}

/// An answer with a body that is already JSON.
pub fn json_bytes(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer of the form `{"message":"…"}`.
pub fn message(status: StatusCode, text: &str) -> Response<Body> {
    json(status, &json!({ "message": text }))
}

/// An answer to a method that the path does not have. `allow` lists the methods that it has.
pub fn method_not_allowed(allow: &str) -> Response<Body> {
    let text = format!("method not allowed: use {allow}");
    let mut response = message(StatusCode::METHOD_NOT_ALLOWED, &text);
    let allow = HeaderValue::from_str(allow).expect("methods are visible ASCII");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

#[cfg(test)]
mod tests;
