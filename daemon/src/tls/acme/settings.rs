//! The table `[tls.acme]`.

use std::path::{Path, PathBuf};

use url::Url;

use super::names::{names, problems_of};
use crate::settings::{Kind, Section, http_url, path};

/// Let's Encrypt.
const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// From whom a listener orders its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeSettings {
    /// `domains`: the names that the certificate is for, in lower case. At least one.
    pub domains: Vec<String>,
    /// `contact`: a `mailto:` URL that the authority is told.
    pub contact: Option<String>,
    /// `directory`: where the authority is found, an `https` URL.
    pub directory: Url,
    /// `dir`: the folder with what has been issued. A relative path starts at the working folder.
    pub dir: PathBuf,
}

impl AcmeSettings {
    /// Reads `[tls.acme]`. None without `domains`.
    pub(in crate::tls) fn read(section: &mut Section) -> Option<Self> {
        let others = ["contact", "directory", "dir"].into_iter().find(|key| section.has(key));
        let is_named = section.has("domains");
        let domains = section.read("domains", &names()).unwrap_or_default();
        let settings = Self {
            contact: section.read("contact", &contact()),
            directory: section.read_or("directory", &directory(), DIRECTORY),
            dir: section.read_or("dir", &path(Path::new("")), "data/acme"),
            domains: domains.iter().map(|name| name.to_ascii_lowercase()).collect(),
        };
        for problem in problems_of(&settings.domains) {
            section.problem("domains", problem);
        }
        if let Some(key) = others.filter(|_| !is_named) {
            let what = "is set without tls.acme.domains; set the names that a certificate is for";
            section.problem(key, what);
        }
        is_named.then_some(settings)
    }

    /// Whether a certificate for `names` has all names of the settings. An authority may add some.
    pub(super) fn are_in(&self, names: &[String]) -> bool {
        self.domains.iter().all(|name| names.contains(name))
    }

    /// The names as in the log.
    pub(super) fn names(&self) -> String {
        self.domains.join(", ")
    }
}

fn contact() -> Kind<String> {
    let kind = Kind::new("a mailto: URL with one address", |value| {
        let text = value.as_str()?;
        let (user, host) = text.strip_prefix("mailto:")?.split_once('@')?;
        let is_plain = |part: &str| {
            !part.is_empty()
                && !part.contains([',', '?', '@'])
                && !part.contains(char::is_whitespace)
        };
        (is_plain(user) && is_plain(host)).then(|| text.to_owned())
    });
    kind.such_as("\"mailto:ops@example.com\"")
}

fn directory() -> Kind<Url> {
    let kind = Kind::new("an https:// URL", |value| {
        let url = http_url(value.as_str()?)?;
        let is_open = url.username().is_empty() && url.password().is_none();
        (url.scheme() == "https" && is_open).then_some(url)
    });
    kind.such_as(format!("\"{DIRECTORY}\""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::super::super::testing::{TestAuthority, problems_of_acme as problems};
    use crate::settings::SettingsError;

    #[test]
    fn values_that_cannot_be_meant_are_refused() {
        for (line, key) in [
            ("contact = \"ops@example.com\"", "contact"),
            ("contact = \"mailto:a@b.c,d@e.f\"", "contact"),
            ("directory = \"http://acme.example/directory\"", "directory"),
            ("directory = \"https://u:p@acme.example/directory\"", "directory"),
        ] {
            let found = problems(&format!("domains = \"a.example\"\n{line}"));
            assert_eq!(found.len(), 1, "{found:?}");
            let begin = format!("server.toml: tls.acme.{key}: the value is not valid; use ");
            assert!(found[0].starts_with(&begin), "{found:?}");
        }
        let found = problems("contact = \"mailto:ops@example.com\"");
        assert!(
            found[0].contains("tls.acme.contact: is set without tls.acme.domains"),
            "{found:?}"
        );
    }

    #[test]
    fn a_listener_has_its_certificate_from_one_place() {
        let acme = "[tls.acme]\ndomains = \"a.example\"";
        for (other, named) in [("dev = true", "tls.dev"), ("cert = \"a\"\nkey = \"b\"", "tls.cert")]
        {
            let Err(SettingsError(found)) = TestAuthority::new().read(&format!("{other}\n{acme}"))
            else {
                panic!("{other} is taken")
            };
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            let expected =
                format!("server.toml: tls.acme: is set beside {named}; use one of the two");
            assert_eq!(found, [expected]);
        }
    }
}
