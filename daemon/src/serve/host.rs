//! The header `Host` (RFC 9112 section 3.2): a server must refuse a request of HTTP/1.1 that does
//! not have it, that has two, or whose value is not valid.

use http::{HeaderMap, Version, header};

const PORT_DIGITS_MAX: usize = 5;

/// What is wrong with the `Host` of a request. For servers that are not of [`super::serve`] too.
pub fn host_problem(version: Version, headers: &HeaderMap) -> Option<&'static str> {
    let mut values = headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (None, _) if version < Version::HTTP_11 => None,
        (None, _) => Some("need header Host"),
        (Some(_), Some(_)) => Some("need header Host exactly once, and there are several"),
        (Some(host), None) if is_host(host.as_bytes()) => None,
        (Some(_), None) => Some("header Host must be a name or an IP address, and may have a port"),
    }
}

/// Whether `value` is `uri-host [ ":" port ]`. A client whose URL has no host sends nothing.
fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
            if end == 0 || !rest[..end].iter().all(|byte| *byte == b':' || is_of_name(*byte)) {
                return false;
            }
            (&[][..], &rest[end + 1..])
        }
        _ => value.split_at(value.iter().position(|byte| *byte == b':').unwrap_or(value.len())),
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => {
            digits.len() <= PORT_DIGITS_MAX && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    is_port && host.iter().all(|byte| is_of_name(*byte))
}

/// Whether a registered name may have this byte (RFC 3986 section 3.2.2).
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
}
