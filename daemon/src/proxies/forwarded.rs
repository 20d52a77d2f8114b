//! The addresses in `X-Forwarded-For` and `Forwarded` (RFC 7239), the last one first.
//!
//! Each proxy adds what it knows at the end, behind what came, which may be anything. So a value is
//! read from its end: nothing that a client sends changes how the rest is understood.

use std::{
    iter,
    net::{IpAddr, SocketAddr},
};

use http::HeaderMap;

use super::settings::ForwardHeader;

impl ForwardHeader {
    /// Where the request came from, the last step first. None for a step that is hidden, or that
    /// cannot be read. A port that is not known is 0.
    pub(super) fn nodes(self, headers: &HeaderMap) -> impl Iterator<Item = Option<SocketAddr>> {
        // Several lines are one list (RFC 9110, section 5.3).
        let lines = headers.get_all(self.name()).into_iter().rev();
        lines.flat_map(move |line| from_end(line.as_bytes(), b',')).map(move |element| match self {
            Self::XForwardedFor => node(element),
            Self::Forwarded => forwarded_for(element),
        })
    }
}

/// The parts of `text` between `separator`s that are not quoted, the last part first.
fn from_end(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let text = rest?;
        let mut is_quoted = false;
        let found = (0..text.len()).rev().find(|&at| {
            if text[at] == b'"' && !is_escaped(text, at) {
                is_quoted = !is_quoted;
            }
            text[at] == separator && !is_quoted
        });
        rest = found.map(|at| &text[..at]);
        Some(found.map_or(text, |at| &text[at + 1..]).trim_ascii())
    })
}

/// Whether the character at this place is the second one of a `quoted-pair`.
fn is_escaped(text: &[u8], at: usize) -> bool {
    text[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The node of the parameter `for` of an element (RFC 7239, section 4). None if the element is not
/// valid: each parameter may be there once.
fn forwarded_for(element: &[u8]) -> Option<SocketAddr> {
    let mut found = None;
    for pair in from_end(element, b';') {
        // Semicolons may have nothing between them.
        if pair.is_empty() {
            continue;
        }
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (&pair[..at], &pair[at + 1..]);
        let value = unquoted(value)?;
        if !is_token(name) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"for") && found.replace(value).is_some() {
            return None;
        }
    }
    node(&found?)
}

/// The value of a parameter: a token, or a quoted string without its quotes.
fn unquoted(value: &[u8]) -> Option<Vec<u8>> {
    let Some(rest) = value.strip_prefix(b"\"") else {
        return is_token(value).then(|| value.to_owned());
    };
    let mut inner = rest.strip_suffix(b"\"")?.iter();
    let mut text = Vec::new();
    while let Some(byte) = inner.next() {
        match byte {
            b'"' => return None,
            b'\\' => text.push(*inner.next()?),
            byte => text.push(*byte),
        }
    }
    Some(text)
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &[u8]) -> bool {
    let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_of_token)
}

/// An address, perhaps with a port. IPv6 has brackets, and may lack them without a port. None for
/// `unknown` and for the names of hidden nodes.
fn node(text: &[u8]) -> Option<SocketAddr> {
    let text = str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address, 0).into());
    }
    let (address, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']')?;
            let port = if after.is_empty() { after } else { after.strip_prefix(':')? };
            (IpAddr::V6(address.parse().ok()?), port)
        }
        None => {
            let (address, port) = text.split_once(':')?;
            (IpAddr::V4(address.parse().ok()?), port)
        }
    };
    // The name of a hidden port begins with `_`.
    let is_known = !port.is_empty() && !port.starts_with('_');
    let port = if is_known { port.parse().ok()? } else { 0 };
    Some((address, port).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nodes of lines, the last one first.
    fn nodes(header: ForwardHeader, lines: &[&str]) -> Vec<Option<String>> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header.name(), line.parse().unwrap());
        }
        header.nodes(&headers).map(|node| Some(node?.to_string())).collect()
    }

    #[track_caller]
    fn check(header: ForwardHeader, lines: &[&str], expected: &[Option<&str>]) {
        let expected: Vec<_> = expected.iter().map(|node| node.map(str::to_owned)).collect();
        assert_eq!(nodes(header, lines), expected, "{lines:?}");
    }

    #[test]
    fn addresses_are_read_from_the_end_in_one_line_or_several() {
        const HEADER: ForwardHeader = ForwardHeader::XForwardedFor;
        let expected = [Some("[2001:db8::1]:0"), Some("192.0.2.2:0"), Some("192.0.2.1:0")];
        check(HEADER, &["192.0.2.1, 192.0.2.2 ,2001:db8::1"], &expected);
        check(HEADER, &["192.0.2.1", "192.0.2.2,2001:db8::1"], &expected);
        check(HEADER, &["192.0.2.1:80"], &[Some("192.0.2.1:80")]);
        check(HEADER, &["[::1]", "[::1]:443"], &[Some("[::1]:443"), Some("[::1]:0")]);
        for unreadable in
            ["", "unknown", "_hidden", "192.0.2", "192.0.2.1:x", "::1]:80", "[::1", "a b"]
        {
            check(HEADER, &[unreadable], &[None]);
        }
        check(HEADER, &["192.0.2.1,"], &[None, Some("192.0.2.1:0")]);
    }

    #[test]
    fn the_parameter_for_is_read_as_rfc_7239_writes_it() {
        const HEADER: ForwardHeader = ForwardHeader::Forwarded;
        for (element, expected) in [
            ("for=192.0.2.43", Some("192.0.2.43:0")),
            ("For=\"[2001:db8:cafe::17]:4711\"", Some("[2001:db8:cafe::17]:4711")),
            ("for=\"[2001:db8:cafe::17]\"", Some("[2001:db8:cafe::17]:0")),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", Some("192.0.2.60:0")),
            ("proto=http; for=\"192.0.2.60:80\" ;", Some("192.0.2.60:80")),
            ("for=\"192.0.2.60:_port\"", Some("192.0.2.60:0")),
            ("host=\"a,for=203.0.113.7;x\";for=192.0.2.1", Some("192.0.2.1:0")),
            ("host=\"a\\\",for=203.0.113.7\";for=192.0.2.1", Some("192.0.2.1:0")),
            ("for=\"192.0.2.\\1\"", Some("192.0.2.1:0")),
            ("for=_hidden", None),
            ("for=unknown", None),
            ("proto=http", None),
            ("for=192.0.2.1;for=192.0.2.2", None),
            ("for=[2001:db8::1]", None),
            ("for=192.0.2.1:80", None),
            ("for", None),
            ("=192.0.2.1", None),
            ("for=\"192.0.2.1", None),
            ("for=192.0.2.1\"", None),
            ("", None),
        ] {
            check(HEADER, &[element], &[expected]);
        }
        let both = [Some("198.51.100.17:0"), Some("192.0.2.43:0")];
        check(HEADER, &["for=192.0.2.43, for=198.51.100.17"], &both);
        check(HEADER, &["for=192.0.2.43", "for=198.51.100.17"], &both);
    }

    /// A client has left a quote open, or closes one that it did not open.
    #[test]
    fn what_stands_before_does_not_change_what_a_proxy_adds() {
        const HEADER: ForwardHeader = ForwardHeader::Forwarded;
        for before in ["x=\"", "for=\"a", "\"", "\\", "for=203.0.113.7;x=\"\\", ",;=\"\""] {
            let line = format!("{before}, for=\"[2001:db8::1]\";by=_a, for=192.0.2.1");
            assert_eq!(nodes(HEADER, &[&line])[0].as_deref(), Some("192.0.2.1:0"), "{line}");
            assert_eq!(nodes(HEADER, &[&line])[1].as_deref(), Some("[2001:db8::1]:0"), "{line}");
        }
    }
}
