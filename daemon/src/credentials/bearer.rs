//! The header `Authorization` of a request, and the answer that asks for it (RFC 6750).

use http::{HeaderMap, HeaderValue, Response, header};

/// What a request presents to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented<'r> {
    /// No header `Authorization`.
    Nothing,
    /// The header is there more than once, or is not of the form `Bearer <token>`.
    Unreadable,
    /// A token.
    Token(&'r str),
}

impl<'r> Presented<'r> {
    /// What `headers` present.
    pub fn of(headers: &'r HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Self::Nothing };
        let scheme_and_token = value.to_str().ok().and_then(|value| value.trim().split_once(' '));
        match (scheme_and_token, values.next()) {
            // The scheme is written in any case (RFC 9110, section 11.1).
            (Some((scheme, token)), None) if scheme.eq_ignore_ascii_case("bearer") => {
                Self::Token(token.trim_start())
            }
            _ => Self::Unreadable,
        }
    }
}

/// Adds the header that a refusal with status 401 has (RFC 9110, section 11.6.1).
pub fn challenge<B>(mut response: Response<B>) -> Response<B> {
    let bearer = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bearer_token_is_read() {
        for (values, expected) in [
            (&[][..], Presented::Nothing),
            (&["Bearer abc"], Presented::Token("abc")),
            (&["bearer  abc "], Presented::Token("abc")),
            (&["Bearer a b"], Presented::Token("a b")),
            (&["Bearer"], Presented::Unreadable),
            (&["abc"], Presented::Unreadable),
            (&["Basic YTpi"], Presented::Unreadable),
            (&["Bearer abc", "Bearer abc"], Presented::Unreadable),
            (&["Bearer \u{e9}"], Presented::Unreadable),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                headers.append(header::AUTHORIZATION, value);
            }
            assert_eq!(Presented::of(&headers), expected, "{values:?}");
        }
    }
}
