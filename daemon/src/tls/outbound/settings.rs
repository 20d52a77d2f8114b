//! `[outbound_tls]`: where the files for TLS of what is called are.

use std::path::{Path, PathBuf};

use crate::settings::{Section, path};

/// The settings of TLS of what a process calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboundTlsSettings {
    /// `ca`: a file with authorities that are trusted beside those of the system.
    pub ca: Option<PathBuf>,
    /// `cert`: a file with the certificate that is shown to servers which ask for one.
    pub cert: Option<PathBuf>,
    /// `key`: the file with its key.
    pub key: Option<PathBuf>,
}

impl OutboundTlsSettings {
    /// Reads the section. A relative path starts at `base`.
    pub fn read(section: &mut Section, base: &Path) -> Self {
        let [ca, cert, key] = ["ca", "cert", "key"].map(|key| section.read(key, &path(base)));
        for (set, missing, is_half) in [
            ("cert", "key", cert.is_some() && key.is_none()),
            ("key", "cert", key.is_some() && cert.is_none()),
        ] {
            if is_half {
                section
                    .problem(set, format!("is set without {missing}; set both, or none of them"));
            }
        }
        Self { ca, cert, key }
    }
}
