//! The bytes of answers to what is not a request of HTTP/1.1: those of hyper, and those in their
//! place.

use std::time::SystemTime;

use http::StatusCode;
use serde_json::json;

/// What is spoken here, for clients that begin with something else.
const SPOKEN: &str = "this listener speaks HTTP/1.1 only";

/// The headers of an answer of hyper to bytes that are not a request.
const BARE_HEADERS: [&[u8]; 3] = [b"content-length: 0", b"connection: ", b"date: "];

/// The status of `answer`, if it can be one of hyper to bytes that are not a request.
pub(super) fn bare_status(answer: &[u8]) -> Option<StatusCode> {
    let status = answer.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    let status = StatusCode::from_bytes(status).ok().filter(StatusCode::is_client_error)?;
    let mut lines = answer.strip_suffix(b"\r\n\r\n")?.split(|byte| *byte == b'\n').skip(1);
    let is_bare = lines.all(|line| BARE_HEADERS.iter().any(|header| line.starts_with(header)));
    is_bare.then_some(status)
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
        assert_eq!(status("HTTP/1.1 431 x\r\ncontent-length: 0\r\ndate: x\r\n\r\n"), Some(431));
        assert_eq!(status("HTTP/1.0 400 Bad Request\r\n\r\n"), Some(400));
        assert_eq!(status("HTTP/1.1 200 OK\r\n\r\n"), None);
        assert_eq!(status("HTTP/1.1 404 Not Found\r\n\r\nbody"), None);
        assert_eq!(status("HTTP/1.1 404 x\r\ncontent-type: a\r\ncontent-length: 9\r\n\r\n"), None);
        assert_eq!(status("HTTP/1.1 404 x\r\n\r\nbody\r\n\r\n"), None);
        assert_eq!(status("HTTP/1.1 4"), None);
        assert_eq!(status(""), None);
    }
}
