//! The address of the runner, and of what it serves.

use url::Url;

/// The base URL of the runner, without a slash at the end.
#[derive(Debug)]
pub(super) struct RunnerUrl(String);

impl RunnerUrl {
    pub(super) fn new(base: &Url) -> Self {
        Self(base.as_str().trim_end_matches('/').to_owned())
    }

    pub(super) fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// Where the runner says which functions it has.
    pub(super) fn functions(&self) -> String {
        format!("{}/functions", self.0)
    }

    /// Where the runner is told that a gateway drains.
    pub(super) fn drain(&self) -> String {
        format!("{}/~/drain", self.0)
    }

    /// The name of the function at `url`, if it is one of the runner's.
    pub(super) fn name_of<'a>(&self, url: &'a Url) -> Option<&'a str> {
        let path = url.as_str().strip_prefix(&*self.0)?;
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
            let url = RunnerUrl::new(&Url::parse(base).unwrap());
            assert_eq!(url.functions(), format!("{expected}/functions"));
            assert_eq!(url.drain(), format!("{expected}/~/drain"));
            assert_eq!(url.scheme(), base.split(':').next().unwrap());
            let of = |path: &str| Url::parse(&format!("{expected}{path}")).unwrap();
            assert_eq!(url.name_of(&of("/functions/f/invocations")), Some("f"));
            assert_eq!(url.name_of(&of("/functions/f")), None);
            assert_eq!(url.name_of(&of("0/functions/f/invocations")), None);
        }
    }
}
