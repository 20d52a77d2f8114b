//! A certificate with its key, read from two files.

pub(super) mod certificate;
pub(super) mod key;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::rustls::{
    Error,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, pem::SectionKind},
    sign::CertifiedKey,
};

use super::{
    files::{FileProblem, PairFiles},
    validity::Validity,
};
use crate::settings::{open_file, read_bytes};

/// The longest file.
const BYTES_MAX: u64 = 1 << 20;

/// A certificate that belongs to its key.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// The file of the certificate.
    pub(super) cert: PathBuf,
    /// The names that the certificate is for, in lower case.
    pub(super) names: Vec<String>,
    pub(super) validity: Validity,
    /// The validity of the certificate of the chain that ends first.
    pub(super) chain_validity: Validity,
    /// The length of the key, if it is one of RSA.
    pub(super) rsa_bits: Option<usize>,
    pub(super) certified: Arc<CertifiedKey>,
}

/// The sections of a file in PEM.
type Sections = Vec<(SectionKind, Vec<u8>)>;

impl Pair {
    /// Reads both files. The error has all problems of both.
    pub(super) fn read(files: &PairFiles) -> Result<Self, Vec<FileProblem>> {
        let cert = certificate::read(&files.cert).map_err(|what| FileProblem { key: "cert", what });
        let key = key::read(&files.key).map_err(|what| FileProblem { key: "key", what });
        let (cert, key) = match (cert, key) {
            (Ok(cert), Ok(key)) => (cert, key),
            (cert, key) => return Err(cert.err().into_iter().chain(key.err()).collect()),
        };
        let certified = CertifiedKey::from_der(cert.chain, key, &default_provider());
        let certified = certified.map_err(|error| vec![problem_of_both(files, &error)])?;
        Ok(Self {
            cert: files.cert.clone(),
            names: cert.names,
            validity: cert.validity,
            chain_validity: cert.chain_validity,
            rsa_bits: cert.rsa_bits,
            certified: Arc::new(certified),
        })
    }
}

impl Pair {
    /// The certificate and its chain. A key that belongs to the same certificate is the same.
    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }
}

fn problem_of_both(files: &PairFiles, error: &Error) -> FileProblem {
    let (cert, key) = (files.cert.display(), files.key.display());
    let what = match error {
        Error::InconsistentKeys(_) => format!(
            "the key in {key} does not belong to the certificate in {cert}; use the key that this \
             certificate was made with"
        ),
        _ => format!(
            "the key in {key} cannot be used; use a key of the kind ECDSA (P-256, P-384 or P-521), \
             Ed25519 or RSA (2048 bits or more)"
        ),
    };
    FileProblem { key: "key", what }
}

/// Why a file cannot be read. `file` names it.
pub(super) fn unreadable(file: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("{file} does not exist; use a file that does"),
        io::ErrorKind::PermissionDenied => {
            format!("{file} cannot be read: {error}; let the user of this process read it")
        }
        _ => format!("{file} cannot be read: {error}; use a file in PEM"),
    }
}

pub(super) fn open(file: &Path) -> Result<File, String> {
    open_file(file).map_err(|error| unreadable(&file.display().to_string(), &error))
}

/// The text of an open file that is not empty. `file` is its path.
fn read(file: &Path, opened: &File) -> Result<String, String> {
    let shown = file.display();
    let bytes = read_bytes(opened, BYTES_MAX, "1 MiB");
    let bytes = bytes.map_err(|error| unreadable(&shown.to_string(), &error))?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| format!("{shown} is not text; use a file in PEM"))?;
    if text.trim().is_empty() {
        return Err(format!("{shown} is empty; use a file in PEM"));
    }
    Ok(text)
}
