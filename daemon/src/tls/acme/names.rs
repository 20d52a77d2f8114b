//! The host names that a certificate is ordered for.

use std::net::IpAddr;

use toml::Value;

use crate::settings::Kind;

/// As many as Let's Encrypt has in one certificate.
const NAMES_MAX: usize = 100;
/// The longest name of the DNS, and the longest part of one (RFC 1035).
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// The names of a certificate: one, or a list.
pub(super) fn names() -> Kind<Vec<String>> {
    let one = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = Kind::new("a host name, or a list of host names", move |value| match value {
        Value::Array(values) if !values.is_empty() => values.iter().map(one).collect(),
        // A variable holds text, which may spell a list.
        Value::String(text) if text.starts_with('[') => None,
        value => Some(vec![one(value)?]),
    });
    kind.such_as("[\"chat.example.com\"]")
}

/// Why no certificate can be ordered for `names`: each problem says what would be right.
pub(super) fn problems_of(names: &[String]) -> Vec<String> {
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

    use super::super::super::testing::problems_of_acme as problems;

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
}
