//! The address of the runner, of what it serves, and what it asks of its callers.

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use url::Url;

/// The base URL of the runner, and the token for it.
#[derive(Debug)]
pub(super) struct RunnerUrl {
    /// Without a slash at the end.
    base: String,
    headers: HeaderMap,
}

impl RunnerUrl {
    /// `authorization` is what the runner asks of its callers.
    pub(super) fn new(base: &Url, authorization: HeaderValue) -> Self {
        let base = base.as_str().trim_end_matches('/').to_owned();
        Self { base, headers: HeaderMap::from_iter([(AUTHORIZATION, authorization)]) }
    }

    pub(super) fn scheme(&self) -> &str {
        self.base.split(':').next().unwrap_or_default()
    }

    /// The headers of each request to the runner.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers of a call to `url`. No other service gets the token.
    pub(super) fn headers_to(&self, url: &Url) -> HeaderMap {
        if self.name_of(url).is_some() { self.headers.clone() } else { HeaderMap::new() }
    }

    /// Where the runner says which functions it has.
    pub(super) fn functions(&self) -> String {
        format!("{}/functions", self.base)
    }

    /// Where the runner is told that a gateway drains.
    pub(super) fn drain(&self) -> String {
        format!("{}/~/drain", self.base)
    }

    /// The name of the function at `url`, if it is one of the runner's.
    pub(super) fn name_of<'a>(&self, url: &'a Url) -> Option<&'a str> {
        let path = url.as_str().strip_prefix(&*self.base)?;
        path.strip_prefix("/functions/")?.strip_suffix("/invocations")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_below_the_base_with_or_without_a_path() {
        for (base, expected) in [
            ("http://127.0.0.1:902", "http://127.0.0.1:902"),
            ("https://a.example/runner/", "https://a.example/runner"),
        ] {
            let token = HeaderValue::from_static("Bearer hunter2");
            let url = RunnerUrl::new(&Url::parse(base).unwrap(), token);
            assert_eq!(url.functions(), format!("{expected}/functions"));
            assert_eq!(url.drain(), format!("{expected}/~/drain"));
            assert_eq!(url.scheme(), base.split(':').next().unwrap());
            let of = |path: &str| Url::parse(&format!("{expected}{path}")).unwrap();
            assert_eq!(url.name_of(&of("/functions/f/invocations")), Some("f"));
            assert_eq!(url.name_of(&of("/functions/f")), None);
            assert_eq!(url.name_of(&of("0/functions/f/invocations")), None);
            assert_eq!(url.headers()[AUTHORIZATION], "Bearer hunter2");
            assert_eq!(url.headers_to(&of("/functions/f/invocations")), *url.headers());
            // Another service, at another port.
            assert!(url.headers_to(&of("0/functions/f/invocations")).is_empty());
        }
    }
}
