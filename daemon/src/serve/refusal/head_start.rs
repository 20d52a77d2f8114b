//! The begin of a request head, kept to say what is wrong with it.

use http::{Method, StatusCode, uri::PathAndQuery};

/// How much of a head is kept.
const BYTES_MAX: usize = 1 << 10;

const NOT_A_REQUEST: &str =
    "need a request of HTTP/1.1, which begins with a line such as: GET /path HTTP/1.1";
const BAD_HEADER: &str = "a header of the request is not valid: each is a line with a name, a colon and a value, without \
     control characters";
/// The text for a head whose begin is not known.
pub(super) const BAD_REQUEST: &str = "the request is not valid HTTP/1.1: a URL needs its special characters percent-encoded, and a \
     header is a line with a name, a colon and a value";
const CONTENT_LENGTH: &str = "header Content-Length must be one number";
const TRANSFER_ENCODING: &str =
    "header Transfer-Encoding must end with chunked, and a request of HTTP/1.0 cannot have it";
const TOO_LARGE: &str =
    "the head of the request is larger than 32 KiB, or has more than 100 headers";

/// The first bytes of the head that is being received.
#[derive(Debug, Default)]
pub(super) struct HeadStart(Vec<u8>);

/// What a client speaks that does not speak HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OtherProtocol {
    Http2,
    Tls,
}

impl HeadStart {
    /// Another head comes.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// More bytes of the head.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let room = BYTES_MAX - self.0.len();
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Whether nothing but line breaks has come. Some clients send one after a body.
    pub(super) fn is_blank(&self) -> bool {
        self.0.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
    }

    pub(super) fn is_of_head_method(&self) -> bool {
        self.0.trim_ascii_start().starts_with(b"HEAD ")
    }

    pub(super) fn other_protocol(&self) -> Option<OtherProtocol> {
        // RFC 9113 section 3.4: no request of HTTP/1.1 begins so.
        if self.0.starts_with(b"PRI * HTTP/2.0\r\n") {
            return Some(OtherProtocol::Http2);
        }
        // A record of TLS with a handshake.
        self.0.starts_with(&[22, 3]).then_some(OtherProtocol::Tls)
    }

    /// Why hyper has answered the head with `status`.
    pub(super) fn problem(&self, status: StatusCode) -> String {
        match status {
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => TOO_LARGE.to_owned(),
            StatusCode::URI_TOO_LONG => "the URL is too long".to_owned(),
            _ => self.problem_of_request_line(),
        }
    }

    fn problem_of_request_line(&self) -> String {
        let bytes = self.0.trim_ascii_start();
        let (line, is_whole) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => (bytes[..end].trim_ascii_end(), true),
            None => (bytes, false),
        };
        let mut words = line.splitn(2, |byte| *byte == b' ');
        let (method, Some(rest)) = (words.next().unwrap_or_default(), words.next()) else {
            return NOT_A_REQUEST.to_owned();
        };
        if Method::from_bytes(method).is_err() {
            return NOT_A_REQUEST.to_owned();
        }
        let (target, version) = match rest.iter().rposition(|byte| *byte == b' ') {
            Some(end) if is_whole => (&rest[..end], &rest[end + 1..]),
            Some(_) | None if is_whole => return NOT_A_REQUEST.to_owned(),
            Some(_) | None => (rest, &b"HTTP/1.1"[..]),
        };
        if let Some(problem) = problem_of_target(target) {
            return problem;
        }
        // CONNECT has a host and a port in place of a URL.
        if is_whole
            && method != b"CONNECT"
            && let Some(problem) = problem_of_begin(target)
        {
            return problem;
        }
        if !matches!(version, b"HTTP/1.1" | b"HTTP/1.0") {
            return NOT_A_REQUEST.to_owned();
        }
        if !is_whole {
            return BAD_REQUEST.to_owned();
        }
        problem_of_length(version, bytes).unwrap_or(BAD_HEADER).to_owned()
    }
}

/// What is wrong with the first character that is not valid where it is.
fn problem_of_target(target: &[u8]) -> Option<String> {
    let text = match str::from_utf8(target) {
        Ok(text) => text,
        Err(error) if error.error_len().is_some() => {
            let byte = target[error.valid_up_to()];
            return Some(format!("the URL is not UTF-8: write %{byte:02X} for the byte {byte:#x}"));
        }
        Err(error) => str::from_utf8(&target[..error.valid_up_to()]).unwrap_or_default(),
    };
    let mut before = "/";
    for character in text.chars() {
        if PathAndQuery::try_from(format!("{before}{character}")).is_err() {
            let code = u32::from(character);
            return Some(format!(
                "the URL has a character that must be percent-encoded: write %{code:02X} for {character:?}"
            ));
        }
        if character == '?' {
            before = "/?";
        }
    }
    None
}

/// What is wrong with the begin of the URL, if it is neither a path nor a URL with a host.
fn problem_of_begin(target: &[u8]) -> Option<String> {
    if target.is_empty() {
        return Some(
            "there is no URL between the method and HTTP/1.1: write at least /".to_owned(),
        );
    }
    let text = String::from_utf8_lossy(target);
    let has_host = text.split_once("://").is_some_and(|(scheme, _)| !scheme.contains('/'));
    let is_good = text.starts_with('/') || text == "*" || has_host;
    (!is_good).then(|| format!("the URL must begin with a slash: write /{text}"))
}

/// What is wrong with the headers that say how long the body is.
fn problem_of_length(version: &[u8], head: &[u8]) -> Option<&'static str> {
    let (mut length, mut encoding) = (None, None);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let number = str::from_utf8(value).ok().and_then(|value| value.parse::<u64>().ok());
            if number.is_none()
                || value.starts_with(b"+")
                || length.is_some_and(|one| one != number)
            {
                return Some(CONTENT_LENGTH);
            }
            length = Some(number);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            encoding = Some(value);
        }
    }
    let is_chunked = encoding?.to_ascii_lowercase().ends_with(b"chunked");
    (!is_chunked || version == b"HTTP/1.0").then_some(TRANSFER_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &[u8], expected: &str) {
        let mut start = HeadStart::default();
        start.add(head);
        let problem = start.problem(StatusCode::BAD_REQUEST);
        assert!(problem.contains(expected), "{}: {problem}", String::from_utf8_lossy(head));
    }

    #[test]
    fn the_first_thing_that_is_wrong_is_named() {
        check(b"GET /a?b=\"c\" HTTP/1.1\r\n", "write %22 for '\"'");
        check(b"\r\nGET /a b HTTP/1.1\r\n", "write %20 for ' '");
        check("GET /聊天?<".as_bytes(), "write %3C for '<'");
        check(b"GET /\xe8\x81\xff HTTP/1.1\r\n", "write %E8");
        check(b"GET /\xe8\x81", "percent-encoded, and a header");
        check(b"GET /a\r\nHost: localhost", "such as: GET");
        check(b"GET / HTTP/3.0\r\n", "such as: GET");
        check(b"G T", "percent-encoded, and a header");
        check(b"\x80 /", "such as: GET");
        check(b"GET /a HTTP/1.1\r\nHost", "a header of the request");
        check(b"", "such as: GET");
        check(b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", "there is no URL between the method");
        check(b"GET release/a HTTP/1.1\r\nHost: a\r\n\r\n", "write /release/a");
        check(b"GET http://a:99999/ HTTP/1.1\r\n", "a header of the request");
        for (headers, expected) in [
            ("Content-Length: x", CONTENT_LENGTH),
            ("content-length: +1", CONTENT_LENGTH),
            ("Content-Length: 1\r\nContent-Length: 2", CONTENT_LENGTH),
            ("Transfer-Encoding: gzip", TRANSFER_ENCODING),
            ("Content-Length: 1\r\nContent-Length: 1\r\nx y: z", BAD_HEADER),
            ("Transfer-Encoding: gzip, Chunked\r\nx", BAD_HEADER),
        ] {
            check(format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n").as_bytes(), expected);
        }
        check(b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", TRANSFER_ENCODING);
    }

    #[test]
    fn only_the_begin_of_one_head_is_kept() {
        let mut start = HeadStart::default();
        start.add(&[b'x'; 3 * BYTES_MAX]);
        start.add(b"x");
        assert_eq!(start.0.len(), BYTES_MAX);
        start.clear();
        start.add(b"\r\n");
        assert!(start.is_blank());
        start.add(b"HEAD /");
        assert!(!start.is_blank() && start.is_of_head_method());
    }

    #[test]
    fn other_protocols_are_known_by_their_first_bytes() {
        let mut start = HeadStart::default();
        start.add(b"PRI * HTTP/2.0\r");
        assert_eq!(start.other_protocol(), None);
        start.add(b"\n\r\nSM");
        assert_eq!(start.other_protocol(), Some(OtherProtocol::Http2));
        start.clear();
        start.add(&[22, 3, 1, 0]);
        assert_eq!(start.other_protocol(), Some(OtherProtocol::Tls));
        start.clear();
        start.add(b"GET / HTTP/1.1\r\n");
        assert_eq!(start.other_protocol(), None);
    }
}
