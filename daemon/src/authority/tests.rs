//! What an authority signs, as a client of TLS judges it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::*;

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const DAY: Duration = Duration::from_hours(24);

fn authority() -> Authority {
    Authority::new("of a test", &NAMES, SystemTime::now(), DAY).unwrap()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Whether a client that trusts `authority` accepts `issued` as `name` after `later`.
fn accepts(authority: &Authority, issued: &Issued, name: &'static str, later: Duration) -> bool {
    let (authority, certificate) = (der(&authority.certificate()), der(&issued.certificate));
    super::accepts(&authority, &certificate, &[name], SystemTime::now() + later).is_some()
}

#[test]
fn a_client_accepts_the_names_of_an_authority_until_its_end() {
    let authority = authority();
    let issued = authority.issue(&NAMES).unwrap();
    for name in NAMES {
        assert!(accepts(&authority, &issued, name, Duration::ZERO), "{name}");
        assert!(!accepts(&authority, &issued, name, 2 * DAY), "{name}");
    }
}

/// Even the authority itself cannot sign for other names.
#[test]
fn a_client_refuses_other_names_that_an_authority_has_signed() {
    let authority = authority();
    for name in ["example.com", "127.0.0.2", "::2"] {
        let issued = authority.issue(&[name]).unwrap();
        assert!(!accepts(&authority, &issued, name, Duration::ZERO), "{name}");
    }
}

#[test]
fn nothing_that_is_logged_shows_a_key() {
    let authority = authority();
    let issued = authority.issue(&NAMES).unwrap();
    assert_eq!(format!("{issued:?}"), "Issued { .. }");
    assert_eq!(format!("{authority:?}"), "Authority { title: \"of a test\", .. }");
}

#[test]
fn an_authority_for_other_names_or_for_all_does_not_vouch() {
    let (now, authority) = (SystemTime::now(), authority());
    let issued = der(&authority.issue(&NAMES).unwrap().certificate);
    let own = der(&authority.certificate());
    assert!(vouches(&own, &issued, &NAMES, now));
    assert!(!vouches(&own, &issued, &NAMES, now + 2 * DAY));
    assert!(!vouches(&own, &issued, &NAMES[..2], now), "it can sign for one name more");
    let few = der(&authority.issue(&NAMES[..2]).unwrap().certificate);
    assert!(!vouches(&own, &few, &NAMES, now));
    let other = Authority::new("other", &NAMES, now, DAY).unwrap();
    assert!(!vouches(&der(&other.certificate()), &issued, &NAMES, now));
    // It can sign for every name.
    let mut params = params("prepared", now - DAY, now + DAY);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let prepared = Authority { issuer, title: String::new(), begin: now - DAY, end: now + DAY };
    let issued = prepared.issue(&NAMES).unwrap();
    assert!(NAMES.iter().all(|name| accepts(&prepared, &issued, name, Duration::ZERO)));
    assert!(!vouches(&der(&prepared.certificate()), &der(&issued.certificate), &NAMES, now));
}
