//! Whether a page and a server are of the same site: of the same owner, as far as names tell.

use std::net::IpAddr;

use url::Host;

use super::{
    WebOrigin,
    host::{HostPattern, hosts, ip_of, without_port},
};
use crate::settings::Section;

/// Which pages are of the site of a listener for clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnSite {
    /// `public_hosts`: names of the listener for pages that come without TLS.
    hosts: Vec<HostPattern>,
}

/// Why a page is not of the site of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// It is of another site.
    Site,
    /// It came without TLS to a browser that asks a listener with TLS: it may have been changed on
    /// its way.
    Unencrypted,
    /// It came without TLS, from a server with the name that the listener is asked by. Anybody can
    /// point a name of theirs at the listener (DNS rebinding).
    Name,
}

impl OwnSite {
    /// Reads the key from the table `[listen]`.
    pub fn read(listen: &mut Section) -> Self {
        Self { hosts: listen.read_or("public_hosts", &hosts(), "[]") }
    }

    /// Checks the page with `origin`, whose browser asks the listener at `authority`.
    ///
    /// A page that came over `https` needs no list of names. A browser lets such a page open
    /// WebSockets over TLS only, and the server that answers them has shown a certificate for its
    /// name: this listener, or a proxy in front. Whoever points a name at the listener has neither.
    pub fn check(
        &self,
        origin: &WebOrigin,
        authority: &str,
        over_tls: bool,
    ) -> Result<(), Foreign> {
        let WebOrigin::Page { scheme, host: page, .. } = origin else {
            return Err(Foreign::Site);
        };
        if !is_same_site(origin, authority) {
            return Err(Foreign::Site);
        }
        if scheme == "https" || is_this_machine(page) {
            return Ok(());
        }
        if over_tls {
            return Err(Foreign::Unencrypted);
        }
        let host = without_port(authority);
        let is_known = ip_of(host).is_some() || self.hosts.iter().any(|it| it.matches(host));
        if is_known { Ok(()) } else { Err(Foreign::Name) }
    }
}

/// Whether the page with `origin` is of the same site as the server at `authority`: both have the
/// same host, or names below the same name that somebody registered (by the Public Suffix List), or
/// both are on this machine. Neither the port nor the scheme counts: a proxy may change both.
fn is_same_site(origin: &WebOrigin, authority: &str) -> bool {
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
    use super::{Foreign, OwnSite, is_same_site};
    use crate::browser::{WebOrigin, host::HostPattern};

    fn origin(text: &str) -> WebOrigin {
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::ORIGIN, text.parse().unwrap());
        WebOrigin::of(&headers).unwrap().unwrap()
    }

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
            let found = is_same_site(&self::origin(origin), authority);
            assert_eq!(found, expected, "{origin} {authority}");
        }
    }

    #[test]
    fn a_page_without_tls_is_known_by_an_address_or_a_listed_name_only() {
        let listed = HostPattern::One("chat.lan".to_owned());
        let site = OwnSite { hosts: vec![listed] };
        let [plain, tls] = [false, true];
        for (page, authority, over_tls, expected) in [
            // By now the name points at this machine.
            ("http://evil.com:9000", "evil.com:9000", plain, Err(Foreign::Name)),
            ("http://www.example.com", "ws.example.com", plain, Err(Foreign::Name)),
            ("http://chat.lan:9000", "Chat.lan.:9000", plain, Ok(())),
            ("http://chat.lan", "evil.com", plain, Err(Foreign::Site)),
            ("http://10.0.0.1:9000", "10.0.0.1:9000", plain, Ok(())),
            ("http://localhost:3000", "127.0.0.1:9000", plain, Ok(())),
            // TLS ends in a proxy, or in the listener.
            ("https://www.example.com", "ws.example.com", plain, Ok(())),
            ("https://www.example.com", "ws.example.com", tls, Ok(())),
            ("http://www.example.com", "ws.example.com", tls, Err(Foreign::Unencrypted)),
            ("http://chat.lan", "chat.lan", tls, Err(Foreign::Unencrypted)),
            ("http://10.0.0.1", "10.0.0.1", tls, Err(Foreign::Unencrypted)),
            ("http://localhost:3000", "localhost:9000", tls, Ok(())),
            ("https://evil.com", "example.com", tls, Err(Foreign::Site)),
            ("null", "127.0.0.1:9000", plain, Err(Foreign::Site)),
        ] {
            let found = site.check(&origin(page), authority, over_tls);
            assert_eq!(found, expected, "{page} {authority} {over_tls}");
        }
    }
}
