//! A private authority: it signs certificates for names that it was made for, and for no others.
//!
//! Its key is never written anywhere, and goes with the value. Who holds the certificate of the
//! authority trusts the names in it only, whatever happens to the rest.

use std::{
    collections::BTreeSet,
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DnType, Error,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
};
use tokio_rustls::rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

/// The clock of another machine may be late by so much.
const SKEW: Duration = Duration::from_hours(24);

/// An authority for some names: host names, with those below them, and IP addresses.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    title: String,
    begin: SystemTime,
    end: SystemTime,
}

/// A certificate of a server, and its key, in PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

impl Authority {
    /// An authority for `names` that is valid for `time` from `now` on. `title` is how people find
    /// it in a list.
    pub fn new(
        title: &str,
        names: &[&str],
        now: SystemTime,
        time: Duration,
    ) -> Result<Self, Error> {
        let (begin, end) = (now - SKEW, now + time);
        let mut params = params(title, begin, end);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let subtree = |name: &&str| match name.parse::<IpAddr>() {
            Ok(address) => {
                let bits = if address.is_ipv4() { 32 } else { 128 };
                GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, bits))
            }
            Err(_) => GeneralSubtree::DnsName((*name).to_owned()),
        };
        let permitted_subtrees = names.iter().map(subtree).collect();
        let constraints = NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() };
        params.name_constraints = Some(constraints);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer, title: title.to_owned(), begin, end })
    }

    /// The certificate of the authority, in PEM, for those who are to trust it.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for a server with these names, valid as long as the authority.
    pub fn issue(&self, names: &[&str]) -> Result<Issued, Error> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        // A subject that is not the issuer's: with the same one OpenSSL takes it for self-signed.
        let subject =
            format!("{} for {}", self.title, names.first().map_or("nothing", String::as_str));
        let mut own = params(&subject, self.begin, self.end);
        own.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        own.use_authority_key_identifier_extension = true;
        own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = own.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate, key: key.serialize_pem() })
    }
}

/// Whether `authority` can sign for `names` and for no others, and whether a client that trusts it
/// accepts `certificate` as each of them at `now`.
pub(crate) fn vouches(
    authority: &CertificateDer<'_>,
    certificate: &CertificateDer<'_>,
    names: &[&str],
    now: SystemTime,
) -> bool {
    permitted(authority) == Some(names.iter().map(|name| constraint(name)).collect())
        && accepts(authority, certificate, names, now).is_some()
}

/// A name as the constraints of an authority have it: an address with its mask.
fn constraint(name: &str) -> Vec<u8> {
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => [&address.octets()[..], &[0xff; 4]].concat(),
        Ok(IpAddr::V6(address)) => [&address.octets()[..], &[0xff; 16]].concat(),
        Err(_) => name.as_bytes().to_vec(),
    }
}

/// The names that an authority can sign for. None if it is not bound to names, or to others than
/// host names and addresses.
fn permitted(authority: &CertificateDer<'_>) -> Option<BTreeSet<Vec<u8>>> {
    let (_, parsed) = parse_x509_certificate(authority).ok()?;
    let constraints = parsed.name_constraints().ok()??;
    let permitted = constraints.value.permitted_subtrees.as_ref()?.iter();
    let names = permitted.map(|subtree| match subtree.base {
        GeneralName::DNSName(name) => Some(name.as_bytes().to_vec()),
        GeneralName::IPAddress(address) => Some(address.to_vec()),
        _ => None,
    });
    names.collect()
}

fn accepts(
    authority: &CertificateDer<'_>,
    certificate: &CertificateDer<'_>,
    names: &[&str],
    now: SystemTime,
) -> Option<()> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone().into_owned()).ok()?;
    let provider = Arc::new(default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build();
    let verifier = verifier.ok()?;
    let now = UnixTime::since_unix_epoch(now.duration_since(SystemTime::UNIX_EPOCH).ok()?);
    names.iter().try_for_each(|name| {
        let name = ServerName::try_from(*name).ok()?;
        verifier.verify_server_cert(certificate, &[], &name, &[], now).ok().map(drop)
    })
}

fn params(title: &str, begin: SystemTime, end: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (begin.into(), end.into());
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, title);
    params
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("title", &self.title).finish_non_exhaustive()
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
