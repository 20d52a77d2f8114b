//! Which clients a listener with `client_ca` lets in.
//!
//! A client without a certificate gets through the handshake, so that probes of health need none;
//! `serve` answers nothing else to it. One with a certificate that is not good does not.

use std::sync::{Arc, RwLock};

use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, UnixTime},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use super::authorities::Authorities;

/// The authorities whose clients are let in.
#[derive(Debug)]
pub(super) struct ClientCheck(RwLock<Current>);

#[derive(Debug)]
struct Current {
    authorities: Authorities,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl Current {
    fn new(authorities: Authorities) -> Self {
        let roots = Arc::new(authorities.roots());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots, Arc::new(default_provider()));
        let verifier = verifier.build().expect("there are roots, and no lists of what was revoked");
        Self { authorities, verifier }
    }
}

impl ClientCheck {
    pub(super) fn new(authorities: Authorities) -> Self {
        Self(RwLock::new(Current::new(authorities)))
    }

    /// Whether `authorities` are in use.
    pub(super) fn has(&self, authorities: &Authorities) -> bool {
        self.0.read().expect("nothing panics with the lock held").authorities == *authorities
    }

    /// Uses `authorities` from the next handshake on.
    pub(super) fn replace(&self, authorities: Authorities) {
        let current = Current::new(authorities);
        *self.0.write().expect("nothing panics with the lock held") = current;
    }

    fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.0.read().expect("nothing panics with the lock held").verifier)
    }
}

impl ClientCertVerifier for ClientCheck {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// Clients of ours have one certificate, and need no hint which one is wanted.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verifier().verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier().supported_verify_schemes()
    }
}
