//! How the body of a request is encoded, as its head says.

use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};

/// The encodings of bodies that are decoded here.
pub const ACCEPTED_ENCODINGS: HeaderValue = HeaderValue::from_static("gzip");

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The body is what it seems.
    Plain,
    /// `Content-Encoding: gzip`.
    Gzip,
}

/// A body is encoded in a way that is not decoded here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Content-Encoding {0:?} is not supported; use gzip, or none")]
pub struct UnknownEncoding(String);

impl Encoding {
    /// The encoding of the body behind this head.
    pub fn of(headers: &HeaderMap) -> Result<Self, UnknownEncoding> {
        let values = headers.get_all(CONTENT_ENCODING).iter();
        let text: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let text = text.join(", ").to_ascii_lowercase();
        let names = text.split(',').map(str::trim);
        let mut names = names.filter(|name| !["", "identity"].contains(name));
        match (names.next(), names.next()) {
            (None, _) => Ok(Self::Plain),
            // RFC 9110, section 8.4.1.3: the second is another name of the first.
            (Some("gzip" | "x-gzip"), None) => Ok(Self::Gzip),
            _ => Err(UnknownEncoding(text.chars().take(100).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_known_by_both_its_names_and_other_encodings_are_named() {
        let of = |values: &[&'static str]| {
            let values = values.iter().map(|value| HeaderValue::from_static(value));
            Encoding::of(&values.map(|value| (CONTENT_ENCODING, value)).collect())
        };
        assert_eq!(of(&[]), Ok(Encoding::Plain));
        assert_eq!(of(&[""]), Ok(Encoding::Plain));
        assert_eq!(of(&["identity"]), Ok(Encoding::Plain));
        assert_eq!(of(&["gzip"]), Ok(Encoding::Gzip));
        assert_eq!(of(&["identity, X-GZIP"]), Ok(Encoding::Gzip));
        assert_eq!(of(&["br"]), Err(UnknownEncoding("br".to_owned())));
        assert_eq!(of(&["gzip", "gzip"]), Err(UnknownEncoding("gzip, gzip".to_owned())));
    }
}
