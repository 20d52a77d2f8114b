//! Certificates of an authority, and clients that trust it.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use daemon::{
    settings::Document,
    tls::{Tls, TlsSettings},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{client::request, soon};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A WebSocket over TLS.
pub(crate) type TlsClient = WebSocketStream<TlsStream<TcpStream>>;

/// An authority, and a folder for its certificates.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, folder: tempfile::tempdir().unwrap() }
    }

    /// Writes `<file>.pem` and `<file>.key`, valid for some days, each in one step. Returns the
    /// certificate.
    pub(crate) fn issue(&self, file: &str, names: &[&str]) -> CertificateDer<'static> {
        let now = SystemTime::now();
        self.issue_for(file, names, now - DAY, now + 9 * DAY)
    }

    /// The same, valid from `begin` until `end`.
    pub(crate) fn issue_for(
        &self,
        file: &str,
        names: &[&str],
        begin: SystemTime,
        end: SystemTime,
    ) -> CertificateDer<'static> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (begin.into(), end.into());
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.write(&format!("{file}.key"), &key.serialize_pem());
        self.write(&format!("{file}.pem"), &certificate.pem());
        certificate.der().clone()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let (new, path) = (self.path("new"), self.path(name));
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, Permissions::from_mode(0o600)).unwrap();
        fs::rename(new, path).unwrap();
    }

    /// Makes `name` a link to `target`, in place of what it was, in one step.
    pub(crate) fn link(&self, name: &str, target: &str) {
        let new = self.path("new");
        symlink(target, &new).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `[tls]` with the certificates in these files.
    pub(crate) fn table(&self, files: &[&str]) -> String {
        let list = |ending| {
            let path = |file| self.path(&format!("{file}.{ending}"));
            files.iter().map(path).collect::<Vec<_>>()
        };
        format!("[tls]\ncert = {:?}\nkey = {:?}\n", list("pem"), list("key"))
    }

    /// The certificate of the authority in PEM.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// The certificate of the authority, for an HTTP client.
    pub(crate) fn root(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_der(self.issuer.der()).unwrap()
    }

    /// The text of a file.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The TLS of a listener for programs, with these settings.
    pub(crate) fn open(&self, settings: &str) -> Tls {
        let document = Document::parse(Path::new("a.toml"), settings, "A", &BTreeMap::new());
        let read = document.unwrap().read(|root| {
            let settings = TlsSettings::read_internal(root, self.folder.path());
            Some((settings, root.origins()))
        });
        let (settings, origins) = read.unwrap();
        Tls::open(&settings, "internal_tls", &origins).unwrap().unwrap()
    }

    /// The certificate of the authority.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// A client that trusts the authority.
    pub(crate) fn connector(&self, versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
        connector(self.issuer.der().clone(), versions)
    }
}

/// A client that trusts the authority in a file.
pub(crate) fn connector_of(
    file: &Path,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsConnector {
    connector(CertificateDer::from_pem_file(file).unwrap(), versions)
}

fn connector(
    authority: CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let mut client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(client).into()
}

/// A handshake with `name`.
pub(crate) async fn connect(
    connector: &TlsConnector,
    address: SocketAddr,
    name: &str,
) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(address).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    soon("a TLS handshake", connector.connect(name, tcp)).await.unwrap()
}

/// A WebSocket over TLS.
pub(crate) async fn websocket(
    connector: &TlsConnector,
    address: SocketAddr,
    path: &str,
) -> TlsClient {
    let stream = connect(connector, address, "localhost").await;
    // Boxed, because the future is large: it holds all of a client of TLS.
    let handshake = Box::pin(client_async(request(address, path), stream));
    soon("a handshake", handshake).await.unwrap().0
}

/// The certificate that the server has shown.
pub(crate) fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}
