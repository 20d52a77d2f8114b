//! How the authority sees that a name leads to this listener (TLS-ALPN-01, RFC 8737): it begins a
//! handshake with a protocol of its own, and is shown a certificate with the proof that it wants.
//!
//! There is a proof only while an order is open. Nothing but the handshake happens over such a
//! connection.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, Error, KeyPair};
use tokio_rustls::rustls::{
    crypto::aws_lc_rs::default_provider, pki_types::PrivateKeyDer, server::ClientHello,
    sign::CertifiedKey,
};

/// The protocol, in the list of a client (ALPN).
pub(in crate::tls) const PROTOCOL: &[u8] = b"acme-tls/1";

/// The proofs of the open order, by name.
#[derive(Debug, Default)]
pub(in crate::tls) struct Challenges(Mutex<HashMap<String, Arc<CertifiedKey>>>);

/// Proofs are shown until this is dropped.
#[derive(Debug)]
pub(super) struct Shown<'a>(&'a Challenges);

/// Whether a client is an authority that wants to see a proof: it offers this protocol alone.
pub(in crate::tls) fn asks_for_proof(hello: &ClientHello<'_>) -> bool {
    hello.alpn().is_some_and(|offered| offered.eq([PROTOCOL]))
}

impl Challenges {
    /// The certificate with the proof for `name`.
    pub(in crate::tls) fn proof(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let proofs = self.0.lock().expect("nothing panics with the lock held");
        proofs.get(&name.to_ascii_lowercase()).cloned()
    }

    /// Shows a proof for each of the names, by its digest.
    pub(super) fn show(&self, proofs: Vec<(String, Vec<u8>)>) -> Result<Shown<'_>, Error> {
        let made = proofs.into_iter().map(|(name, digest)| {
            let made = make(&name, &digest)?;
            Ok((name, Arc::new(made)))
        });
        let made = made.collect::<Result<_, Error>>()?;
        *self.0.lock().expect("nothing panics with the lock held") = made;
        Ok(Shown(self))
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.0.0.lock().expect("nothing panics with the lock held").clear();
    }
}

/// A certificate for `name` that has the digest of the proof (RFC 8737, section 3).
fn make(name: &str, digest: &[u8]) -> Result<CertifiedKey, Error> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.der().clone();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = default_provider().key_provider.load_private_key(key);
    let key = key.expect("the provider knows keys of its own library");
    // Not `from_der`, which refuses a certificate with this extension.
    Ok(CertifiedKey::new(vec![certificate], key))
}
