//! The tables of the certificates and keys of listeners.

use std::path::{Path, PathBuf};

use super::{acme::AcmeSettings, files::PairFiles};
use crate::settings::{Section, flag, path, paths};

/// The settings of the TLS of a listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// `cert`: files with a certificate and its chain each, in PEM. Without one there is no TLS.
    pub cert: Vec<PathBuf>,
    /// `key`: the files with the keys of these certificates, in the same order.
    pub key: Vec<PathBuf>,
    /// `client_ca`: a file with the authorities that sign the certificates of clients.
    pub client_ca: Option<PathBuf>,
    /// `dev`: a certificate for this machine is made.
    pub dev: bool,
    /// `dev_dir`: the folder for what `dev` makes. A relative path starts at the working folder.
    pub dev_dir: PathBuf,
    /// `[tls.acme]`: an authority from which the certificate is ordered.
    pub acme: Option<AcmeSettings>,
}

impl TlsSettings {
    /// Reads `[tls]`, of a listener for anybody. A relative path starts at `base`.
    pub fn read(section: &mut Section, base: &Path) -> Self {
        let pairs = read_pairs(section, "tls", base);
        let dev = section.read_or("dev", &flag(), "false");
        let dev_dir = section.read_or("dev_dir", &path(Path::new("")), "data/tls");
        if dev && !pairs.cert.is_empty() {
            section.problem("dev", "is set beside tls.cert; use one of the two");
        }
        let acme = AcmeSettings::read(&mut section.section("acme"));
        let other = if dev { Some("tls.dev") } else { pairs.cert.first().map(|_| "tls.cert") };
        if let Some(other) = other.filter(|_| acme.is_some()) {
            section.problem("acme", format!("is set beside {other}; use one of the two"));
        }
        Self { dev, dev_dir, acme, ..pairs }
    }

    /// Reads `[internal_tls]`, of a listener for programs. A relative path starts at `base`.
    pub fn read_internal(section: &mut Section, base: &Path) -> Self {
        let pairs = read_pairs(section, "internal_tls", base);
        let client_ca = section.read("client_ca", &path(base));
        if client_ca.is_some() && pairs.cert.is_empty() {
            let what = "is set without a certificate of the listener; set internal_tls.cert and \
                        internal_tls.key too";
            section.problem("client_ca", what);
        }
        Self { client_ca, ..pairs }
    }

    /// Whether the listener speaks TLS.
    pub fn is_set(&self) -> bool {
        self.dev || self.acme.is_some() || !self.cert.is_empty()
    }

    /// The files of each certificate in the settings.
    pub(super) fn pairs(&self) -> Vec<PairFiles> {
        let pairs = self.cert.iter().zip(&self.key);
        pairs.map(|(cert, key)| PairFiles { cert: cert.clone(), key: key.clone() }).collect()
    }
}

/// Reads `cert` and `key` of the table `table`.
fn read_pairs(section: &mut Section, table: &str, base: &Path) -> TlsSettings {
    let cert = section.read("cert", &paths(base));
    let key = section.read("key", &paths(base));
    let [cert, key] = [cert, key].map(Option::unwrap_or_default);
    if cert.len() != key.len() {
        let (certs, keys) = (cert.len(), key.len());
        let what = format!(
            "{table}.cert has {certs} files and {table}.key {keys}; use one key for each certificate, \
             in the same order"
        );
        section.problem(if keys < certs { "key" } else { "cert" }, what);
    }
    TlsSettings { cert, key, ..TlsSettings::default() }
}
