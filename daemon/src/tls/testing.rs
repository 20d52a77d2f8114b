//! Certificates for the tests of this crate, and a client that trusts them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs::default_provider},
};

use super::{OutboundTls, OutboundTlsSettings, Tls, TlsSettings};
use crate::settings::{Document, Origins, Section, SettingsError};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An authority, and a folder for its certificates.
pub(crate) struct TestAuthority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) folder: TempDir,
}

impl TestAuthority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, folder: tempfile::tempdir().unwrap() }
    }

    /// The certificate of the authority.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes `<file>.pem` and `<file>.key`, valid from yesterday until tomorrow.
    pub(crate) fn issue(&self, file: &str, names: &[&str]) {
        let now = SystemTime::now();
        self.issue_for(file, names, now - DAY, now + DAY);
    }

    pub(crate) fn issue_for(&self, file: &str, names: &[&str], begin: SystemTime, end: SystemTime) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (begin.into(), end.into());
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.write(&format!("{file}.pem"), &certificate.pem());
        self.write(&format!("{file}.key"), &key.serialize_pem());
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.permit(name, 0o600);
    }

    pub(crate) fn permit(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Opens what a file with the table `[tls]` of this text says.
    pub(crate) fn open(&self, table: &str) -> Result<Option<Tls>, SettingsError> {
        let (settings, origins) = self.read(table)?;
        Tls::open(&settings, "tls", &origins)
    }

    pub(crate) fn read(&self, table: &str) -> Result<(TlsSettings, Origins), SettingsError> {
        let text = format!("[tls]\n{table}");
        let file = Path::new("server.toml");
        Document::parse(file, &text, "SERVER", &BTreeMap::new())?.read(|root| {
            let settings = TlsSettings::read(&mut root.section("tls"), self.folder.path());
            Some((settings, root.origins()))
        })
    }

    /// Opens what a file with the table `[internal_tls]` of this text says.
    pub(crate) fn open_internal(&self, table: &str) -> Result<Option<Tls>, SettingsError> {
        let (settings, origins) = self.section("internal_tls", table, |section, base| {
            TlsSettings::read_internal(section, base)
        })?;
        Tls::open(&settings, "internal_tls", &origins)
    }

    /// Opens what a file with the table `[outbound_tls]` of this text says.
    pub(crate) fn open_outbound(&self, table: &str) -> Result<Option<OutboundTls>, SettingsError> {
        let (settings, origins) = self.section("outbound_tls", table, |section, base| {
            OutboundTlsSettings::read(section, base)
        })?;
        OutboundTls::open(&settings, "outbound_tls", &origins)
    }

    fn section<T>(
        &self,
        name: &'static str,
        table: &str,
        read: impl FnOnce(&mut Section, &Path) -> T,
    ) -> Result<(T, Origins), SettingsError> {
        let text = format!("[{name}]\n{table}");
        Document::parse(Path::new("server.toml"), &text, "SERVER", &BTreeMap::new())?.read(|root| {
            let settings = read(&mut root.section(name), self.folder.path());
            Some((settings, root.origins()))
        })
    }

    /// Writes `<file>.pem`, the certificate of another authority.
    pub(crate) fn issue_authority(&self, file: &str, begin: SystemTime, end: SystemTime) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.not_before, params.not_after) = (begin.into(), end.into());
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        self.write(&format!("{file}.pem"), &issuer.pem());
    }

    /// A client that trusts the authority.
    pub(crate) fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(client).into()
    }
}

/// The problems of `[tls.acme]` with the lines `table`.
pub(crate) fn problems_of_acme(table: &str) -> Vec<String> {
    let read = TestAuthority::new().read(&format!("[tls.acme]\n{table}"));
    let Err(SettingsError(problems)) = read else { panic!("{table} is good") };
    problems.iter().map(ToString::to_string).collect()
}
