//! `[tls]`: where the certificates and keys of a listener are.

use std::path::{Path, PathBuf};

use crate::settings::{Section, paths};

/// The settings of the TLS of a listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// `cert`: files with a certificate and its chain each, in PEM. Without one there is no TLS.
    pub cert: Vec<PathBuf>,
    /// `key`: the files with the keys of these certificates, in the same order.
    pub key: Vec<PathBuf>,
}

impl TlsSettings {
    /// Reads the section. A relative path starts at `base`.
    pub fn read(section: &mut Section, base: &Path) -> Self {
        let cert = section.read("cert", &paths(base));
        let key = section.read("key", &paths(base));
        let [cert, key] = [cert, key].map(Option::unwrap_or_default);
        if cert.len() != key.len() {
            let (certs, keys) = (cert.len(), key.len());
            let what = format!(
                "tls.cert has {certs} files and tls.key {keys}; use one key for each certificate, in the \
                 same order"
            );
            section.problem(if keys < certs { "key" } else { "cert" }, what);
        }
        Self { cert, key }
    }
}
