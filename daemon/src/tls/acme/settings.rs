//! The table `[tls.acme]`.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use toml::Value;
use url::Url;

use crate::settings::{Kind, Section, http_url, path};

/// As many as Let's Encrypt has in one certificate.
const NAMES_MAX: usize = 100;
/// Let's Encrypt.
const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// The longest name of the DNS, and the longest part of one (RFC 1035).
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

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

fn names() -> Kind<Vec<String>> {
    let one = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = Kind::new("a host name, or a list of host names", move |value| match value {
        Value::Array(values) if !values.is_empty() => values.iter().map(one).collect(),
        // A variable holds text, which may spell a list.
        Value::String(text) if text.starts_with('[') => None,
        value => Some(vec![one(value)?]),
    });
    kind.such_as("[\"chat.example.com\"]")
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

fn problems_of(names: &[String]) -> Vec<String> {
    let mut problems: Vec<_> = names.iter().filter_map(|name| problem_of(name)).collect();
    for (number, name) in names.iter().enumerate() {
        if names[..number].contains(name) {
            problems.push(format!("{name:?} is there twice; list each name once"));
        }
    }
    if names.len() > NAMES_MAX {
        let count = names.len();
        problems.push(format!("{count} names are too many; use {NAMES_MAX} at most"));
    }
    problems
}

/// Why no certificate can be ordered for `name`.
fn problem_of(name: &str) -> Option<String> {
    if name.contains('*') {
        return Some(format!(
            "{name:?} is a wildcard, and the authority connects to each name (TLS-ALPN-01); list the \
             names, or use tls.cert with a certificate that another program gets by DNS-01"
        ));
    }
    if name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Some(format!(
            "{name:?} is an IP address, and certificates are ordered for host names only; use a name \
             such as \"chat.example.com\""
        ));
    }
    if !name.is_ascii() {
        return Some(format!("{name:?} has letters beside ASCII; use its form with xn--"));
    }
    let is_label = |label: &str| {
        let is_of_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(is_of_label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = name.len() <= NAME_MAX && name.split('.').all(is_label);
    (!is_name).then(|| {
        format!("{name:?} is not a host name; use one without a port, such as \"chat.example.com\"")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::super::super::testing::TestAuthority;
    use crate::settings::SettingsError;

    /// The problems of the table.
    fn problems(table: &str) -> Vec<String> {
        let read = TestAuthority::new().read(&format!("[tls.acme]\n{table}"));
        let Err(SettingsError(problems)) = read else { panic!("{table} is good") };
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_that_no_certificate_can_be_ordered_for_are_named_with_the_reason() {
        for (names, reason) in [
            ("[\"*.example.com\"]", "is a wildcard, and the authority connects to each name"),
            ("\"192.0.2.1\"", "is an IP address, and certificates are ordered for host names"),
            ("[\"[2001:db8::1]\"]", "is an IP address"),
            ("[\"chät.example.com\"]", "has letters beside ASCII; use its form with xn--"),
            ("[\"chat.example.com:443\"]", "is not a host name; use one without a port"),
            ("[\"chat..com\"]", "is not a host name"),
            ("[\"chat.example.com.\"]", "is not a host name"),
            ("[\"-a.example.com\"]", "is not a host name"),
            ("[\"a.example\", \"A.example\"]", "\"a.example\" is there twice"),
        ] {
            let found = problems(&format!("domains = {names}"));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("server.toml: tls.acme.domains: "), "{found:?}");
            assert!(found[0].contains(reason), "{found:?}");
        }
        let many =
            format!("domains = {:?}", (0..101).map(|n| format!("a{n}.b")).collect::<Vec<_>>());
        assert!(problems(&many)[0].contains("101 names are too many"));
        for names in ["[]", "\"\"", "1", "[1]"] {
            let found = problems(&format!("domains = {names}"));
            assert!(found[0].contains("use a host name, or a list of host names"), "{found:?}");
        }
    }

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
