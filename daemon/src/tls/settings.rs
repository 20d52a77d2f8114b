//! `[tls]`: where the certificates and keys of a listener are.

use std::path::{Path, PathBuf};

use super::files::PairFiles;
use crate::settings::{Section, flag, path, paths};

/// The settings of the TLS of a listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// `cert`: files with a certificate and its chain each, in PEM. Without one there is no TLS.
    pub cert: Vec<PathBuf>,
    /// `key`: the files with the keys of these certificates, in the same order.
    pub key: Vec<PathBuf>,
    /// `dev`: a certificate for this machine is made.
    pub dev: bool,
    /// `dev_dir`: the folder for what `dev` makes. A relative path starts at the working folder.
    pub dev_dir: PathBuf,
}

impl TlsSettings {
    /// Reads the section. A relative path starts at `base`.
    pub fn read(section: &mut Section, base: &Path) -> Self {
        let cert = section.read("cert", &paths(base));
        let key = section.read("key", &paths(base));
        let dev = section.read_or("dev", &flag(), "false");
        let dev_dir = section.read_or("dev_dir", &path(Path::new("")), "data/tls");
        let [cert, key] = [cert, key].map(Option::unwrap_or_default);
        if cert.len() != key.len() {
            let (certs, keys) = (cert.len(), key.len());
            let what = format!(
                "tls.cert has {certs} files and tls.key {keys}; use one key for each certificate, in the \
                 same order"
            );
            section.problem(if keys < certs { "key" } else { "cert" }, what);
        }
        if dev && !cert.is_empty() {
            section.problem("dev", "is set beside tls.cert; use one of the two");
        }
        Self { cert, key, dev, dev_dir }
    }

    /// The files of each certificate in the settings.
    pub(super) fn pairs(&self) -> Vec<PairFiles> {
        let pairs = self.cert.iter().zip(&self.key);
        pairs.map(|(cert, key)| PairFiles { cert: cert.clone(), key: key.clone() }).collect()
    }
}
