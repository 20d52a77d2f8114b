//! Where a name can lead.

use daemon::settings::{Kind, http_url};
use url::Url;

/// What becomes of names that are not the cloud's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    /// They are looked up as always.
    Pass,
    /// They are not found, and the log of the function names them.
    Refuse,
}

/// The place of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamedPlace {
    /// A server, over HTTP.
    Url(Url),
    /// It is looked up as always, although it may be a name of the cloud.
    Pass,
    Refuse,
}

/// An `http://` URL of a server. Requests keep their paths, so that it has none.
pub(super) fn base_url() -> Kind<Url> {
    let kind = Kind::new("an http:// URL without a path", |value| base(value.as_str()?));
    kind.such_as("\"http://127.0.0.1:9003\"")
}

/// The place of a name: a URL, or a word.
pub(super) fn named() -> Kind<NamedPlace> {
    let kind = Kind::new("an http:// URL without a path, pass or refuse", |value| {
        Some(match value.as_str()? {
            "pass" => NamedPlace::Pass,
            "refuse" => NamedPlace::Refuse,
            text => NamedPlace::Url(base(text)?),
        })
    });
    kind.such_as("\"http://127.0.0.1:8080\" or \"pass\"")
}

fn base(text: &str) -> Option<Url> {
    let url = http_url(text).filter(|url| url.scheme() == "http")?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    (is_bare && url.username().is_empty() && url.password().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn a_place_is_a_server_and_no_more() {
        for text in
            ["http://127.0.0.1:9003", "http://127.0.0.1:9003/", "http://cos", "http://[::1]:1"]
        {
            assert!(base(text).is_some(), "{text}");
        }
        for text in ["https://cos", "http://cos/x", "http://a:b@cos", "http://cos?x", "cos", ""] {
            assert!(base(text).is_none(), "{text}");
        }
    }
}
