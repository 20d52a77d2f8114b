//! What an authority signs, as a client of TLS judges it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use tokio_rustls::rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use super::*;

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const DAY: Duration = Duration::from_hours(24);

fn authority() -> Authority {
    Authority::new("of a test", &NAMES, SystemTime::now(), DAY).unwrap()
}

/// Whether a client that trusts `authority` accepts `issued` as `name` after `later`.
fn accepts(authority: &Authority, issued: &Issued, name: &'static str, later: Duration) -> bool {
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(der(&authority.certificate())).unwrap();
    let provider = Arc::new(default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
    let name = ServerName::try_from(name).unwrap();
    let now = UnixTime::since_unix_epoch(
        (SystemTime::now() + later).duration_since(SystemTime::UNIX_EPOCH).unwrap(),
    );
    let certificate = der(&issued.certificate);
    verifier.verify_server_cert(&certificate, &[], &name, &[], now).is_ok()
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
