//! The file of a certificate: the certificate itself first, then the chain to its authority.

use std::{fs::File, path::Path};

use tokio_rustls::rustls::pki_types::{
    CertificateDer,
    pem::{PemObject, SectionKind},
};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, parse_x509_certificate,
    public_key::PublicKey,
};

use super::{Sections, Validity, open, read as read_text};

/// What a file has.
#[derive(Debug)]
pub(in crate::tls) struct CertificateFile {
    pub(in crate::tls) chain: Vec<CertificateDer<'static>>,
    /// The names of the first certificate.
    pub(super) names: Vec<String>,
    /// The validity of the first certificate.
    pub(super) validity: Validity,
    /// The validity of the certificate of the chain that ends first.
    pub(super) chain_validity: Validity,
    /// The length of the key of the first certificate, if it is one of RSA.
    pub(super) rsa_bits: Option<usize>,
}

/// Reads the file. The error says what is wrong, and what would be right.
pub(in crate::tls) fn read(file: &Path) -> Result<CertificateFile, String> {
    read_open(file, &open(file)?)
}

/// The same for a file that is open.
pub(in crate::tls) fn read_open(file: &Path, opened: &File) -> Result<CertificateFile, String> {
    let text = read_text(file, opened)?;
    let shown = file.display();
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes());
    let sections = sections.collect::<Result<Sections, _>>();
    let sections = sections.map_err(|error| format!("{shown} is not valid PEM: {error}"))?;
    let is_cert = |kind: &SectionKind| matches!(kind, SectionKind::Certificate);
    let has_others = !sections.is_empty();
    let certificates = sections.into_iter().filter(|(kind, _)| is_cert(kind));
    let chain: Vec<_> = certificates.map(|(_, der)| CertificateDer::from(der)).collect();
    let Some(first) = chain.first() else {
        let has = if has_others || text.contains("PRIVATE KEY") { "a key and " } else { "" };
        return Err(format!(
            "{shown} has {has}no certificate; use a file in PEM with -----BEGIN CERTIFICATE-----"
        ));
    };
    let Ok((_, parsed)) = parse_x509_certificate(first) else {
        return Err(format!(
            "the certificate in {shown} is not valid; use the file as its authority made it"
        ));
    };
    let (names, validity) = (names(&parsed), Validity::of(parsed.validity()));
    let rsa_bits = match parsed.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => Some(key.key_size()),
        _ => None,
    };
    // The rest of the chain is for the client, which may know another one.
    let rest = chain[1..].iter().filter_map(|der| parse_x509_certificate(der).ok());
    let rest = rest.map(|(_, parsed)| Validity::of(parsed.validity()));
    let chain_validity = rest.fold(validity, Validity::that_ends_first);
    Ok(CertificateFile { names, validity, chain_validity, rsa_bits, chain })
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let dns = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    dns.collect()
}
