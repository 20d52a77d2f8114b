//! Whom a header makes the client, and that nobody but a trusted proxy can say so.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use http::HeaderValue;
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const HEADERS: [ForwardHeader; 2] = [ForwardHeader::XForwardedFor, ForwardHeader::Forwarded];

fn proxies(header: ForwardHeader) -> Proxies {
    let trusted = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap()).to_vec();
    Proxies::new(ProxySettings { trusted, header: Some(header), protocol: false })
}

fn address(text: &str) -> SocketAddr {
    (text.parse::<IpAddr>().unwrap(), 1).into()
}

/// The client, of a connection from `peer` with these lines of `header`.
fn client(header: ForwardHeader, peer: &str, lines: &[Vec<u8>]) -> String {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header.name(), HeaderValue::from_bytes(line).unwrap());
    }
    proxies(header).client_of(address(peer), &headers).ip().to_string()
}

#[test]
fn the_last_address_that_is_not_of_a_proxy_is_the_client() {
    for (peer, lines, expected) in [
        ("10.0.0.1", &["192.0.2.1"][..], "192.0.2.1"),
        ("::ffff:10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["203.0.113.7, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", &["203.0.113.7, 192.0.2.1, 10.0.0.2, fd00::1"], "192.0.2.1"),
        ("10.0.0.1", &["203.0.113.7", "192.0.2.1", "10.0.0.2"], "192.0.2.1"),
        // A program beside the proxies.
        ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        // What is hidden stays hidden: the client is the proxy behind which it is.
        ("10.0.0.1", &["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["192.0.2.1, "], "10.0.0.1"),
        ("10.0.0.1", &[], "10.0.0.1"),
        // Not a proxy.
        ("192.0.2.9", &["192.0.2.1"], "192.0.2.9"),
        ("192.0.2.9", &["192.0.2.1, 10.0.0.1"], "192.0.2.9"),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        assert_eq!(client(ForwardHeader::XForwardedFor, peer, &lines), expected, "{lines:?}");
    }
}

/// The other header is of no meaning, and neither is one without settings.
#[test]
fn only_the_header_in_the_settings_is_read() {
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
    headers.insert("x-real-ip", HeaderValue::from_static("192.0.2.1"));
    let peer = address("10.0.0.1");
    assert_eq!(proxies(ForwardHeader::Forwarded).client_of(peer, &headers), peer);
    assert_eq!(Proxies::default().client_of(peer, &headers), peer);
}

/// What a client may send in a header: mostly what has a meaning there.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let meaning = select(vec![
        "for=",
        "For=",
        "by=",
        "host=",
        "192.0.2.66",
        "10.0.0.66",
        "[fd00::66]",
        "fd00::66",
        "\"",
        "\\",
        ",",
        ";",
        "=",
        " ",
        "\t",
        "unknown",
        "_x",
        ":80",
        "a",
        "\u{e9}",
    ]);
    let text = vec(meaning, 0..12).prop_map(|parts| parts.concat().into_bytes());
    // Any byte that a header may have.
    let bytes = vec(prop_oneof![Just(9_u8), 32..=126_u8, 128..=255_u8], 0..40);
    prop_oneof![4 => text, 1 => bytes]
}

proptest! {
    #[test]
    fn no_header_of_an_untrusted_client_changes_its_address(lines in vec(line(), 0..4)) {
        for header in HEADERS {
            prop_assert_eq!(client(header, "192.0.2.9", &lines), "192.0.2.9");
        }
    }

    /// The proxy adds a line, or adds to the last line. Another trusted proxy may do so too.
    #[test]
    fn no_header_of_a_client_changes_what_a_trusted_proxy_adds(
        lines in vec(line(), 1..4),
        has_own_line: bool,
        is_behind_two: bool,
    ) {
        for (header, added, next) in [
            (ForwardHeader::XForwardedFor, "192.0.2.9", "10.0.0.2"),
            (ForwardHeader::Forwarded, "for=192.0.2.9;by=_a;host=\"a\\\"b\"", "for=\"10.0.0.2:80\""),
            (ForwardHeader::Forwarded, "proto=https;for=\"192.0.2.9:4711\"", "for=10.0.0.2"),
        ] {
            let mut lines = lines.clone();
            let mut add = |text: &str| match lines.last_mut() {
                Some(last) if !has_own_line => last.extend(format!(", {text}").bytes()),
                _ => lines.push(text.as_bytes().to_vec()),
            };
            add(added);
            if is_behind_two {
                add(next);
            }
            prop_assert_eq!(client(header, "10.0.0.1", &lines), "192.0.2.9", "{:?}", lines);
        }
    }
}
