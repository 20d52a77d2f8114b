//! What a request of the child asks for: this listener itself, or a name.

use std::net::IpAddr;

use daemon::serve::host_problem;
use http::{Method, Request, Uri, header};

use crate::cloud::{LedNames, name_in};

/// What a request asks for. Names are in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Asked {
    /// The runtime API, or a push.
    Listener,
    /// A name of the cloud, as if this were its server.
    Name(String),
    /// A URL, as of a proxy.
    Proxied {
        name: String,
        port: u16,
    },
    /// A connection (CONNECT).
    Tunnel {
        name: String,
        port: u16,
    },
    Invalid(&'static str),
}

/// What `request` asks for. `own_port` is that of this listener.
pub(in super::super) fn asked<B>(
    led: &LedNames,
    own_port: Option<u16>,
    request: &Request<B>,
) -> Asked {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let asked = of(request.method(), request.uri(), host, own_port, |name| led.has(name));
    match (&asked, host_problem(request.version(), request.headers())) {
        (Asked::Name(_), Some(problem)) => Asked::Invalid(problem),
        _ => asked,
    }
}

fn of(
    method: &Method,
    uri: &Uri,
    host: Option<&str>,
    own_port: Option<u16>,
    is_led: impl Fn(&str) -> bool,
) -> Asked {
    let Some(authority) = uri.authority() else {
        let name = name_in(host.unwrap_or_default());
        return if is_led(&name) { Asked::Name(name) } else { Asked::Listener };
    };
    let name = name_in(authority.host());
    if *method == Method::CONNECT {
        return match authority.port_u16() {
            Some(port) => Asked::Tunnel { name, port },
            None => Asked::Invalid("CONNECT needs a host and a port"),
        };
    }
    if uri.scheme_str() != Some("http") {
        return Asked::Invalid("a proxy passes http:// on, and opens connections by CONNECT");
    }
    let port = authority.port_u16().unwrap_or(80);
    if is_this_machine(&name) && Some(port) == own_port {
        return Asked::Listener;
    }
    Asked::Proxied { name, port }
}

/// Whether `name` is one of this machine for itself.
pub(super) fn is_this_machine(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(is_own)
}

/// Whether an address leads to this machine whoever asks.
pub(super) fn is_own(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use http::{Method, Uri};

    use super::{Asked, of};

    #[test]
    fn a_request_asks_for_the_listener_or_for_a_name() {
        let name = || "a.myqcloud.com".to_owned();
        let proxied = |name: &str, port| Asked::Proxied { name: name.to_owned(), port };
        for (request, host, expected) in [
            ("GET /x", "127.0.0.1:9", Asked::Listener),
            ("GET /x", "", Asked::Listener),
            ("GET /x", "example.com", Asked::Listener),
            ("GET /x", "A.myqcloud.com:443", Asked::Name(name())),
            ("GET http://127.0.0.1:9/x", "a.myqcloud.com", Asked::Listener),
            ("GET http://localhost:9/x", "", Asked::Listener),
            ("GET http://127.0.0.1:8/x", "", proxied("127.0.0.1", 8)),
            ("GET http://A.myqcloud.com/x", "b", proxied("a.myqcloud.com", 80)),
            ("GET http://example.com:8080/x", "", proxied("example.com", 8080)),
            ("CONNECT a.myqcloud.com:443", "", Asked::Tunnel { name: name(), port: 443 }),
        ] {
            let (method, uri) = request.split_once(' ').unwrap();
            let (method, uri) = (Method::try_from(method).unwrap(), uri.parse::<Uri>().unwrap());
            let is_led = |name: &str| name.ends_with("myqcloud.com");
            assert_eq!(of(&method, &uri, Some(host), Some(9), is_led), expected, "{request}");
        }
        let https: Uri = "https://a.myqcloud.com/".parse().unwrap();
        let asked = of(&Method::GET, &https, None, Some(9), |_| true);
        assert!(matches!(asked, Asked::Invalid(_)), "{asked:?}");
    }
}
