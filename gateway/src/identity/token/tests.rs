//! Tokens in requests that two readers could read in two ways.

use crate::settings::{AuthSettings, Settings};

use super::*;

/// Settings with the query `access_token` and the cookie `session`.
fn settings() -> std::sync::Arc<TokenSettings> {
    let text = "[[api]]\nid = \"a\"\npath = \"/a\"\ntransmit = \"t\"\nauth = \"jwt\"\n\
                [api.jwt]\nsecret = \"a-secret-of-32-bytes-or-more-0001\"\n\
                query = \"access_token\"\ncookie = \"session\"\n";
    let file = std::path::Path::new("gateway.toml");
    let mut settings = Settings::parse(file, text, &Default::default()).unwrap();
    match settings.apis.remove(0).auth {
        AuthSettings::Jwt(settings) => settings,
        other => panic!("{other:?}"),
    }
}

fn headers(lines: &[(&str, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::try_from(*name).unwrap();
        headers.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

/// The token in a request with these headers, and what is left of the header `left`.
fn take_from(lines: &[(&str, &[u8])], left: &str) -> (Result<String, Reason>, Vec<Vec<u8>>) {
    let (mut uri, mut headers) = (Uri::from_static("/a"), headers(lines));
    let token = take(&settings(), &mut uri, &mut headers);
    let values = headers.get_all(left).iter();
    (token, values.map(|value| value.as_bytes().to_vec()).collect())
}

#[test]
fn bytes_that_are_no_text_hide_no_token() {
    let (token, left) = take_from(&[("cookie", b"name=\xff; session=good; b=\xfe")], "cookie");
    assert_eq!((token, left), (Ok("good".to_owned()), vec![b"name=\xff; b=\xfe".to_vec()]));
    let name = "sec-websocket-protocol";
    let (token, left) = take_from(&[(name, b"\xff, bearer.a.b.c")], name);
    assert_eq!((token, left), (Ok("a.b.c".to_owned()), vec![b"\xff".to_vec()]));
    let two: [(&str, &[u8]); 2] =
        [("authorization", b"Bearer one"), ("cookie", b"session=two; x=\xff")];
    assert_eq!(take_from(&two, "cookie").0, Err(Reason::TwoTokens));
    // A token of bytes that are no text is one too.
    let (token, _) = take_from(&[("cookie", b"session=\xff"), ("cookie", b"session=b")], "cookie");
    assert_eq!(token, Err(Reason::TwoTokens));
}

#[test]
fn what_another_reader_could_take_for_a_token_is_one_or_is_refused() {
    let long: &[u8] = b"Bearer  a-._~+/=  ";
    assert_eq!(take_from(&[("authorization", long)], "x").0, Ok("a-._~+/=".to_owned()));
    let cookie: (&str, &[u8]) = ("cookie", b"session=good");
    for value in [
        &b"Bearer\tone"[..],
        b"Bearer \tone",
        b"bearer",
        b"BEARER ",
        b"Bearerone",
        b"Bearer=one",
        b"Bearer one, Bearer two",
        b"Bearer one two",
        b"Bearer \xff",
        b"Basic \xff",
    ] {
        let (token, _) = take_from(&[("authorization", value), cookie], "x");
        assert_eq!(token, Err(Reason::BadHeader), "{}", String::from_utf8_lossy(value));
    }
    // Of another scheme, which this gateway need not know.
    for value in [&b"Basic YTpi"[..], b"Bear", b""] {
        let (token, left) = take_from(&[("authorization", value), cookie], "authorization");
        assert_eq!((token, left), (Ok("good".to_owned()), vec![value.to_vec()]));
    }
}
