//! The name by which a client has found the server, and the names that the settings list.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, Uri, header};

use crate::settings::Kind;

const HOSTS_MAX: usize = 1000;

/// The host of a request, and perhaps a port: that of its URL (RFC 9112, section 3.2.2), or that in
/// its header `Host`. None if it has neither.
pub fn host_of<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let of_url = uri.authority().map(|authority| authority.as_str());
    let authority = of_url.or_else(|| headers.get(header::HOST)?.to_str().ok())?;
    // What comes before it is a user, whose name may look like a host.
    Some(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

/// `authority` without its port, and without the dot at its end.
pub(super) fn without_port(authority: &str) -> &str {
    let end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let host = &authority[..end];
    host.strip_suffix('.').unwrap_or(host)
}

/// The IP address that `host` is. An IPv6 address has brackets.
pub(super) fn ip_of(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// A name of a listener in the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostPattern {
    /// `"gateway"`: this name.
    One(String),
    /// `"*.example.com"`: all names that end with `.example.com`, which is here.
    Below(String),
}

impl HostPattern {
    fn parse(text: &str) -> Option<Self> {
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(is_of_name) {
            return None;
        }
        let name = name.to_ascii_lowercase();
        if is_below && is_public_suffix(&name) {
            return None;
        }
        Some(if is_below { Self::Below(format!(".{name}")) } else { Self::One(name) })
    }

    pub(super) fn matches(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        match self {
            Self::One(name) => host == *name,
            Self::Below(end) => host.ends_with(end.as_str()),
        }
    }
}

/// Whether anybody can have a name below this one, by the Public Suffix List. A name that the list
/// does not have, such as `lan`, is one of a private network.
pub(super) fn is_public_suffix(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).as_bytes();
    psl::suffix(name).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == name)
}

/// A list of host names.
pub(super) fn hosts() -> Kind<Vec<HostPattern>> {
    let kind = Kind::new("a list of host names without a port", |value| {
        let texts = value.as_array().filter(|list| list.len() <= HOSTS_MAX)?.iter();
        texts.map(|text| HostPattern::parse(text.as_str()?)).collect()
    });
    kind.such_as("[\"gateway\", \"*.example.com\"]")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::{HostPattern, host_of, ip_of, without_port};

    #[test]
    fn hosts_are_read_without_their_ports() {
        for (authority, expected) in [
            ("a.com:80", "a.com"),
            ("a.com.:80", "a.com"),
            ("a.com", "a.com"),
            ("[::1]:9000", "[::1]"),
            ("127.0.0.1:9000", "127.0.0.1"),
            ("", ""),
        ] {
            assert_eq!(without_port(authority), expected, "{authority}");
        }
        assert!(ip_of("127.0.0.1").is_some() && ip_of("[::1]").is_some());
        // Names, for all that some resolvers make of them.
        assert!(ip_of("::1").is_none() && ip_of("127.1").is_none() && ip_of("localhost").is_none());
    }

    /// A user may be named like a host.
    #[test]
    fn the_host_of_a_url_is_not_its_user() {
        let of = |url: &str, header: &'static str| {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(header))]);
            host_of(&url.parse().unwrap(), &headers).map(str::to_owned)
        };
        assert_eq!(of("http://127.0.0.1:pw@evil.com/a", "127.0.0.1").unwrap(), "evil.com");
        assert_eq!(of("http://a@[::1]:80/", "evil.com").unwrap(), "[::1]:80");
        assert_eq!(of("/a", "127.0.0.1@evil.com").unwrap(), "evil.com");
        assert_eq!(of("/a@b", "a.com:80").unwrap(), "a.com:80");
    }

    #[test]
    fn a_name_is_one_name_or_all_below_it() {
        for (pattern, host, expected) in [
            ("gateway", "GateWay", true),
            ("gateway", "gateway.evil.com", false),
            ("*.a.com", "b.a.com", true),
            ("*.a.com", "a.com", false),
            ("*.a.com", "ba.com", false),
        ] {
            let found = HostPattern::parse(pattern).unwrap().matches(host);
            assert_eq!(found, expected, "{pattern} {host}");
        }
        assert!(HostPattern::parse("*.svc.cluster.local").is_some());
        for text in ["", "*", "*.", "a:80", "http://a", "a/b", ".a", "*.com", "*.Co.Uk."] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }
}
