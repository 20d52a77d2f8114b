//! What a client is told that does not send a request of HTTP/1.1.
//!
//! Hyper answers it with a status and nothing else, or not at all.

mod head_start;

use std::time::SystemTime;

use http::StatusCode;
use serde_json::json;

pub(super) use self::head_start::{HeadStart, OtherProtocol};

/// What is spoken here, for clients that begin with something else.
const SPOKEN: &str = "this listener speaks HTTP/1.1 only";

/// The status of `answer`, if it can be one of hyper to bytes that are not a request.
pub(super) fn bare_status(answer: &[u8]) -> Option<StatusCode> {
    let status = answer.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    let status = StatusCode::from_bytes(status).ok()?;
    (status.is_client_error() && answer.ends_with(b"\r\n\r\n")).then_some(status)
}

/// The bytes of an answer that says `problem` and is the last one of its connection. `has_body` is
/// false for HEAD, whose answers have none.
pub(super) fn answer(status: StatusCode, problem: &str, has_body: bool) -> Vec<u8> {
    let body = json!({ "message": problem }).to_string();
    let date = httpdate::fmt_http_date(SystemTime::now());
    let length = body.len();
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\ndate: {date}\r\n\r\n"
    );
    if has_body {
        answer.push_str(&body);
    }
    answer.into_bytes()
}

/// The answer to a client that begins with HTTP/2, in HTTP/2: empty settings, and the end of the
/// connection (RFC 9113 section 6.8). The client knows that no request was carried out.
pub(super) fn answer_of_http_2() -> Vec<u8> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const HTTP_1_1_REQUIRED: [u8; 4] = [0, 0, 0, 13];
    let length = u8::try_from(8 + SPOKEN.len()).expect("the text is short");
    let head = [0, 0, length, 7, 0, 0, 0, 0, 0];
    let no_stream = [0; 4];
    [&SETTINGS[..], &head, &no_stream, &HTTP_1_1_REQUIRED, SPOKEN.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_head_of_an_answer_of_hyper_is_one() {
        let status = |answer: &str| bare_status(answer.as_bytes()).map(|status| status.as_u16());
        assert_eq!(status("HTTP/1.1 431 x\r\ncontent-length: 0\r\n\r\n"), Some(431));
        assert_eq!(status("HTTP/1.0 400 Bad Request\r\n\r\n"), Some(400));
        assert_eq!(status("HTTP/1.1 200 OK\r\n\r\n"), None);
        assert_eq!(status("HTTP/1.1 404 Not Found\r\n\r\nbody"), None);
        assert_eq!(status("HTTP/1.1 4"), None);
        assert_eq!(status(""), None);
    }
}
