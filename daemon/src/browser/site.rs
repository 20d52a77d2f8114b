//! Whether a page and a server are of the same site: of the same owner, as far as names tell.

use std::net::IpAddr;

use url::Host;

use super::{WebOrigin, host::without_port};

/// Whether the page with `origin` is of the same site as the server at `authority`: both have the
/// same host, or names below the same name that somebody registered (by the Public Suffix List), or
/// both are on this machine. Neither the port nor the scheme counts: a proxy may change both.
pub fn is_same_site(origin: &WebOrigin, authority: &str) -> bool {
    let WebOrigin::Page { host: page, .. } = origin else { return false };
    let Ok(server) = Host::parse(without_port(authority)) else { return false };
    if *page == server || is_this_machine(page) && is_this_machine(&server) {
        return true;
    }
    match (page, &server) {
        (Host::Domain(page), Host::Domain(server)) => {
            psl::domain_str(page).is_some_and(|site| psl::domain_str(server) == Some(site))
        }
        _ => false,
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(ip) => IpAddr::from(*ip).is_loopback(),
        Host::Ipv6(ip) => IpAddr::from(*ip).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_site;
    use crate::browser::WebOrigin;

    #[test]
    fn a_site_is_what_somebody_registered() {
        for (origin, authority, expected) in [
            ("https://chat.example.com", "chat.example.com", true),
            ("https://www.example.com", "ws.example.com:8443", true),
            ("https://example.com", "ws.example.com", true),
            ("http://www.example.com", "ws.example.com", true),
            ("https://evil.com", "example.com", false),
            ("https://example.com.evil.com", "example.com", false),
            ("https://a.com.cn", "b.com.cn", false),
            ("https://x.a.com.cn", "y.a.com.cn", true),
            ("https://a.github.io", "b.github.io", false),
            ("http://localhost:3000", "localhost:9000", true),
            ("http://localhost:3000", "127.0.0.1:9000", true),
            ("http://[::1]:3000", "127.0.0.1:9000", true),
            ("http://10.0.0.1", "10.0.0.1:9000", true),
            ("http://10.0.0.1", "10.0.0.2:9000", false),
            ("http://gateway", "gateway:9000", true),
            ("http://page", "gateway:9000", false),
            ("http://localhost.evil.com", "localhost:9000", false),
            ("http://a.internal", "b.internal", false),
            ("http://a.corp.internal", "b.corp.internal", true),
        ] {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::ORIGIN, origin.parse().unwrap());
            let origin = WebOrigin::of(&headers).unwrap().unwrap();
            assert_eq!(is_same_site(&origin, authority), expected, "{origin:?} {authority}");
        }
    }
}
