//! The origin of a page (RFC 6454), and patterns of origins in settings.

use std::fmt;

use http::{HeaderMap, HeaderValue, header};
use url::{Host, Url};

use super::host::is_public_suffix;
use crate::settings::Kind;

/// The most that a list in the settings may have.
const ORIGINS_MAX: usize = 1000;

/// The origin of the page for which a request was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebOrigin {
    /// A page of this scheme, host and port.
    Page {
        /// Such as `https`.
        scheme: String,
        /// A name, or an IP address.
        host: Host,
        /// The port of the scheme, if the origin names none. None if the scheme has none.
        port: Option<u16>,
    },
    /// A page without an origin: a file, or a frame that is kept apart. Its browser sends `null`.
    Opaque,
}

impl WebOrigin {
    /// The value of the header `Origin`. An error, which has the value, if there are several, or if
    /// it is not the origin of a page. None if there is none.
    pub fn of(headers: &HeaderMap) -> Option<Result<Self, HeaderValue>> {
        let mut values = headers.get_all(header::ORIGIN).iter();
        let value = values.next()?;
        if let Some(second) = values.next() {
            return Some(Err(second.clone()));
        }
        Some(value.to_str().ok().and_then(Self::parse).ok_or_else(|| value.clone()))
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "null" {
            return Some(Self::Opaque);
        }
        // Programs that have to say an origin often write it as a URL.
        let text = text.strip_suffix('/').unwrap_or(text);
        let (_, after_scheme) = text.split_once("://")?;
        // No path, no query and no user belong to an origin.
        if after_scheme.contains(['/', '?', '#', '@', '\\', '*']) {
            return None;
        }
        let url = Url::parse(text).ok()?;
        // The host of a scheme that the library does not know is kept as it was written.
        let host = Host::parse(url.host_str()?).ok()?;
        let (scheme, port) = (url.scheme().to_owned(), url.port_or_known_default());
        Some(Self::Page { scheme, host, port })
    }

    /// Whether a page of this origin is one of the server that is asked at `authority`, which is a
    /// host and may have a port.
    pub fn is_own(&self, authority: &str) -> bool {
        let Self::Page { scheme, .. } = self else { return false };
        Self::parse(&format!("{scheme}://{authority}")).as_ref() == Some(self)
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page { scheme, host, port: Some(port) } if !is_port_of(scheme, *port) => {
                write!(f, "{scheme}://{host}:{port}")
            }
            Self::Page { scheme, host, .. } => write!(f, "{scheme}://{host}"),
            Self::Opaque => write!(f, "null"),
        }
    }
}

fn is_port_of(scheme: &str, port: u16) -> bool {
    matches!((scheme, port), ("http", 80) | ("https", 443))
}

/// Which origins are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginPattern {
    /// `"*"`: all.
    Any,
    /// `"https://chat.example.com"`: this one.
    One(WebOrigin),
    /// `"https://*.example.com"`: those of all names that end with `.example.com`.
    Below(WebOrigin),
}

impl OriginPattern {
    /// None if `text` is not an origin, or a pattern of one.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let Some((scheme, parent)) = text.split_once("://*.") else {
            return WebOrigin::parse(text).map(Self::One);
        };
        let parent = WebOrigin::parse(&format!("{scheme}://{parent}"))?;
        let WebOrigin::Page { host: Host::Domain(name), .. } = &parent else { return None };
        (!is_public_suffix(name)).then_some(Self::Below(parent))
    }

    /// Whether pages of anybody are meant: every page can have a frame whose origin is `null`.
    pub fn has_strangers(&self) -> bool {
        match self {
            Self::Any | Self::One(WebOrigin::Opaque) => true,
            Self::One(_) | Self::Below(_) => false,
        }
    }

    /// Whether `origin` is meant.
    pub fn matches(&self, origin: &WebOrigin) -> bool {
        match (self, origin) {
            (Self::Any, _) => true,
            (Self::One(one), _) => one == origin,
            (
                Self::Below(WebOrigin::Page { scheme, host: Host::Domain(parent), port }),
                WebOrigin::Page {
                    scheme: scheme_found,
                    host: Host::Domain(name),
                    port: port_found,
                },
            ) => {
                let is_below = name
                    .strip_suffix(parent.as_str())
                    .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'));
                is_below && (scheme, port) == (scheme_found, port_found)
            }
            (Self::Below(_), _) => false,
        }
    }
}

/// A list of origins. `"*"` for all of them is one only if `with_any`.
pub fn origins(with_any: bool) -> Kind<Vec<OriginPattern>> {
    let values = if with_any {
        "a list of origins, each a scheme, a host and perhaps a port, or \"*\" for all"
    } else {
        "a list of origins, each a scheme, a host and perhaps a port"
    };
    let kind = Kind::new(values, move |value| {
        let texts = value.as_array().filter(|list| list.len() <= ORIGINS_MAX)?.iter();
        let patterns = texts.map(|text| OriginPattern::parse(text.as_str()?));
        let patterns: Option<Vec<_>> = patterns.collect();
        patterns.filter(|list| with_any || !list.contains(&OriginPattern::Any))
    });
    // The value is shown in messages only if it has no "://", in which a password could be.
    kind.such_as("[\"https://chat.example.com\", \"https://*.example.com\"]")
}

#[cfg(test)]
mod tests {
    use super::{OriginPattern, WebOrigin};

    fn check(pattern: &str, origin: &str, expected: bool) {
        let pattern = OriginPattern::parse(pattern).unwrap();
        let origin = WebOrigin::parse(origin).unwrap();
        assert_eq!(pattern.matches(&origin), expected, "{pattern:?} {origin:?}");
    }

    #[test]
    fn a_pattern_means_what_it_says() {
        check("https://a.com", "https://a.com", true);
        check("https://a.com:443", "https://A.com", true);
        check("https://a.com/", "https://a.com", true);
        check("https://a.com", "https://a.com/", true);
        check("https://a.com", "http://a.com", false);
        check("https://a.com", "https://a.com:8443", false);
        check("https://a.com", "https://b.a.com", false);
        check("http://localhost:3000", "http://localhost:3000", true);
        check("https://*.a.com", "https://b.a.com", true);
        check("https://*.a.com", "https://c.b.a.com", true);
        check("https://*.a.com", "https://a.com", false);
        check("https://*.a.com", "https://ba.com", false);
        check("https://*.a.com", "https://.a.com", false);
        check("https://*.a.com", "https://b.a.com.evil.com", false);
        check("https://*.a.com:8443", "https://b.a.com", false);
        check("https://*.a.com", "null", false);
        check("http://*.lan", "http://chat.lan", true);
        check("http://*.localhost", "http://a.localhost", true);
        check("https://例子.com", "https://xn--fsqu00a.com", true);
        check("http://[::1]:80", "http://[0:0::1]", true);
        check("app://phone", "app://phone", true);
        check("null", "null", true);
        check("null", "https://a.com", false);
        check("*", "null", true);
        check("*", "https://a.com", true);
    }

    #[test]
    fn what_is_no_origin_is_no_pattern() {
        for text in [
            "",
            "a.com",
            "https://",
            "https://a.com//",
            "https://a.com/b",
            "https://u@a.com",
            "https://*",
            "https://*.1.2.3.4",
            "https://a.*.com",
            // Anybody can have a name below these.
            "https://*.com",
            "https://*.co.uk",
            "https://*.github.io",
            "file://",
            "https://a b.com",
            "https:a.com",
        ] {
            assert_eq!(OriginPattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_page_of_the_server_itself_is_known_by_host_and_port() {
        for (origin, authority, expected) in [
            ("http://127.0.0.1:9001", "127.0.0.1:9001", true),
            ("http://localhost", "LOCALHOST:80", true),
            ("https://a.com", "a.com", true),
            ("http://127.0.0.1:9000", "127.0.0.1:9001", false),
            ("http://evil.com:9001", "127.0.0.1:9001", false),
            ("null", "127.0.0.1:9001", false),
        ] {
            let origin = WebOrigin::parse(origin).unwrap();
            assert_eq!(origin.is_own(authority), expected, "{origin:?} {authority}");
        }
    }
}
