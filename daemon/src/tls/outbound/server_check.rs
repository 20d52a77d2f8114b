//! Which servers are taken for what they say they are.

use std::sync::{Arc, RwLock};

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::super::authorities::Authorities;

/// The authorities of the system, and those of the settings.
#[derive(Debug)]
pub(super) struct ServerCheck(RwLock<Current>);

#[derive(Debug)]
struct Current {
    authorities: Option<Authorities>,
    verifier: Arc<Verifier>,
}

impl Current {
    fn new(authorities: Option<Authorities>) -> Result<Self, String> {
        let own = authorities.as_ref().map(Authorities::certificates).unwrap_or_default();
        let provider = Arc::new(default_provider());
        let verifier = Verifier::new_with_extra_roots(own.iter().cloned(), provider);
        let verifier = verifier.map_err(|error| {
            format!(
                "no server can be trusted: {error}; use a file with the authority of the servers"
            )
        })?;
        Ok(Self { authorities, verifier: Arc::new(verifier) })
    }
}

impl ServerCheck {
    pub(super) fn new(authorities: Option<Authorities>) -> Result<Self, String> {
        Ok(Self(RwLock::new(Current::new(authorities)?)))
    }

    /// Whether `authorities` are in use.
    pub(super) fn has(&self, authorities: Option<&Authorities>) -> bool {
        let current = self.0.read().expect("nothing panics with the lock held");
        current.authorities.as_ref() == authorities
    }

    /// Uses `authorities` from the next handshake on.
    pub(super) fn replace(&self, authorities: Option<Authorities>) -> Result<(), String> {
        let current = Current::new(authorities)?;
        *self.0.write().expect("nothing panics with the lock held") = current;
        Ok(())
    }

    fn verifier(&self) -> Arc<Verifier> {
        Arc::clone(&self.0.read().expect("nothing panics with the lock held").verifier)
    }
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = self.verifier();
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
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
