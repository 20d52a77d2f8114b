use http::{Request, StatusCode};

use super::{PageGuard, PageSettings};
use crate::browser::{OriginPattern, host::HostPattern};

const OWN: &str = "127.0.0.1:9001";

fn check(path: &str, headers: &[(&str, &str)], refused: Option<StatusCode>) {
    let settings = PageSettings {
        hosts: vec![HostPattern::One("gateway".to_owned())],
        origins: vec![OriginPattern::parse("https://ops.example.com").unwrap()],
    };
    let mut request = Request::post(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", OWN);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = PageGuard::new(settings).refuse(&request.body(()).unwrap());
    assert_eq!(response.map(|response| response.status()), refused, "{path} {headers:?}");
}

#[test]
fn programs_are_let_in_by_every_address_and_every_listed_name() {
    for host in [OWN, "[::1]:9001", "localhost:9001", "LocalHost.", "gateway:9001", "10.0.0.7", ""]
    {
        check("/a", &[("host", host)], None);
    }
    check("/a", &[("content-type", "text/plain")], None);
    check("/a", &[("content-type", "application/x-www-form-urlencoded")], None);
}

#[test]
fn a_host_that_is_not_listed_may_be_a_rebound_name() {
    for host in ["evil.com:9001", "localhost.evil.com", "gateway.evil.com", "127.0.0.1.evil.com"] {
        check("/a", &[("host", host)], Some(StatusCode::FORBIDDEN));
    }
    // The URL counts and not the header.
    check("http://evil.com/a", &[], Some(StatusCode::FORBIDDEN));
}

#[test]
fn pages_of_others_are_refused() {
    for origin in [
        "https://evil.com",
        "http://127.0.0.1:9000",
        "http://localhost:9001",
        "null",
        "file://",
        "https://ops.example.com.evil.com",
        "http://ops.example.com",
        "",
    ] {
        check("/a", &[("origin", origin)], Some(StatusCode::FORBIDDEN));
    }
    let two = [("origin", "https://ops.example.com"), ("origin", "https://evil.com")];
    check("/a", &two, Some(StatusCode::FORBIDDEN));
    for site in ["cross-site", "same-site", "cross-site, none", ""] {
        check("/a", &[("sec-fetch-site", site)], Some(StatusCode::FORBIDDEN));
    }
}

#[test]
fn listed_pages_and_the_listeners_own_send_json() {
    for origin in ["https://ops.example.com", "http://127.0.0.1:9001"] {
        check("/a", &[("origin", origin)], None);
        let json = "application/json; charset=utf-8";
        check("/a", &[("origin", origin), ("content-type", json)], None);
        let (status, form) = (Some(StatusCode::UNSUPPORTED_MEDIA_TYPE), "text/plain");
        check("/a", &[("origin", origin), ("content-type", form)], status);
    }
    check("/a", &[("sec-fetch-site", "none")], None);
    check("/a", &[("sec-fetch-site", "same-origin")], None);
    // A browser says that a listed page is of another site.
    let listed = [("origin", "https://ops.example.com"), ("sec-fetch-site", "cross-site")];
    check("/a", &listed, None);
}

#[test]
fn health_is_for_all() {
    let request = Request::get("/healthz").header("host", "evil.com").body(()).unwrap();
    assert!(PageGuard::new(PageSettings::default()).refuse(&request).is_none());
}
