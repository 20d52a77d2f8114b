//! Files with the certificates of authorities: who is trusted to sign certificates of others.

use std::{path::Path, time::SystemTime};

use tokio_rustls::rustls::{RootCertStore, pki_types::CertificateDer};
use x509_parser::parse_x509_certificate;

use super::{
    pair::{self, certificate},
    validity::Validity,
};
use crate::access::problem_of_public_file;

/// The authorities of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// Reads the file. The error says what is wrong, and what would be right.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let opened = pair::open(file)?;
        // Whoever can change the file chooses who is trusted.
        let problem = problem_of_public_file(file, &opened);
        let shown = file.display();
        if let Some(what) = problem.map_err(|error| pair::unreadable(&shown.to_string(), &error))? {
            return Err(format!("{shown} {what}"));
        }
        let certificates = certificate::read_open(file, &opened)?.chain;
        for certificate in &certificates {
            let is_authority = parse_x509_certificate(certificate).is_ok_and(|(_, it)| it.is_ca());
            if !is_authority {
                return Err(format!(
                    "{shown} has a certificate that is not one of an authority; use the certificate of \
                     the authority, and not one that it has signed"
                ));
            }
        }
        Ok(Self(certificates))
    }

    /// What is wrong with the time of one of them at `now`.
    pub(super) fn problem(&self, now: SystemTime) -> Option<String> {
        let parsed = self.0.iter().filter_map(|it| parse_x509_certificate(it).ok());
        parsed.map(|(_, it)| Validity::of(it.validity())).find_map(|it| it.problem(now))
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// The authorities as roots of trust.
    pub(super) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.0.iter().cloned());
        roots
    }
}
