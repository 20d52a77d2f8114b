//! The certificate that this process shows to servers which ask for one.

use std::{
    path::PathBuf,
    sync::{Arc, RwLock},
};

use tokio_rustls::rustls::{SignatureScheme, client::ResolvesClientCert, sign::CertifiedKey};

use super::super::{pair::Pair, validity::Validity};

/// The certificate in use, if there is one.
#[derive(Debug)]
pub(super) struct OwnCertificate(RwLock<Option<Pair>>);

impl OwnCertificate {
    pub(super) fn new(pair: Option<Pair>) -> Self {
        Self(RwLock::new(pair))
    }

    /// Whether `pair` is in use.
    pub(super) fn is(&self, pair: Option<&Pair>) -> bool {
        let current = self.0.read().expect("nothing panics with the lock held");
        current.as_ref().map(Pair::chain) == pair.map(Pair::chain)
    }

    /// Uses `pair` from the next handshake on.
    pub(super) fn replace(&self, pair: Option<Pair>) {
        *self.0.write().expect("nothing panics with the lock held") = pair;
    }

    /// The file and the time of the certificate.
    pub(super) fn validity(&self) -> Vec<(PathBuf, Validity)> {
        let current = self.0.read().expect("nothing panics with the lock held");
        current.iter().map(|pair| (pair.cert.clone(), pair.validity)).collect()
    }
}

impl ResolvesClientCert for OwnCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().expect("nothing panics with the lock held");
        current.as_ref().map(|pair| Arc::clone(&pair.certified))
    }

    fn has_certs(&self) -> bool {
        self.0.read().expect("nothing panics with the lock held").is_some()
    }
}
