//! TLS of a listener with a private authority: the certificate for a name is made when a client
//! asks for the name.
//!
//! The keys are in memory only, and are gone with the process.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};
use tracing::warn;

use super::turns::TURNS;
use crate::authority::Authority;

/// How many certificates are kept. When there are more, they are made again.
const ISSUED_MAX: usize = 256;

/// TLS for names that are not known before. Clones are the same.
#[derive(Clone)]
pub struct TlsOnDemand {
    configuration: Arc<ServerConfig>,
    authority: String,
}

/// The authority, and what it has signed.
struct Issuing {
    authority: Authority,
    /// With those below them.
    names: Vec<String>,
    issued: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl TlsOnDemand {
    /// TLS for `names` and all names below them, valid for `time` from now on. `title` is how
    /// people find the authority in a list.
    pub fn new(title: &str, names: &[&str], time: Duration) -> io::Result<Self> {
        let authority = Authority::new(title, names, SystemTime::now(), time);
        let authority = authority.map_err(io::Error::other)?;
        let certificate = authority.certificate();
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let issuing = Issuing { authority, names, issued: Mutex::default() };
        let mut configuration = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the suites of both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(issuing));
        configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { configuration: Arc::new(configuration), authority: certificate })
    }

    /// The certificate of the authority, in PEM, for those who are to trust it.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The handshake of the server on `stream`. An error if the client asks for no name, or for
    /// one that is not among those of the authority.
    pub async fn accept<S>(
        &self,
        stream: S,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.configuration));
        TURNS.run(acceptor.accept(stream)).await
    }
}

impl Issuing {
    fn is_permitted(&self, name: &str) -> bool {
        self.names.iter().any(|own| {
            name.strip_suffix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    fn issue(&self, name: &str) -> io::Result<Arc<CertifiedKey>> {
        let issued = self.authority.issue(&[name]).map_err(io::Error::other)?;
        let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).map_err(io::Error::other)?;
        let chain = vec![certificate.map_err(io::Error::other)?];
        let certified = CertifiedKey::from_der(chain, key, &default_provider());
        Ok(Arc::new(certified.map_err(io::Error::other)?))
    }

    fn known(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.issued.lock().expect("nothing panics with the lock held").get(name).cloned()
    }

    fn keep(&self, name: String, certified: Arc<CertifiedKey>) {
        let mut issued = self.issued.lock().expect("nothing panics with the lock held");
        if issued.len() >= ISSUED_MAX {
            issued.clear();
        }
        issued.insert(name, certified);
    }
}

impl ResolvesServerCert for Issuing {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        if let Some(known) = self.known(&name) {
            return Some(known);
        }
        if !self.is_permitted(&name) {
            return None;
        }
        match self.issue(&name) {
            Ok(certified) => {
                self.keep(name, Arc::clone(&certified));
                Some(certified)
            }
            Err(error) => {
                warn!(%error, "no certificate could be made for {name}");
                None
            }
        }
    }
}

impl fmt::Debug for Issuing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuing").field("names", &self.names).finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsOnDemand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOnDemand").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, SystemTime},
    };

    use super::{ISSUED_MAX, Issuing};
    use crate::authority::Authority;

    fn issuing() -> Issuing {
        let (names, time) = (["example.com", "one.test"], Duration::from_secs(60));
        let authority = Authority::new("a test", &names, SystemTime::now(), time).unwrap();
        let names = names.map(str::to_owned).to_vec();
        Issuing { authority, names, issued: std::sync::Mutex::default() }
    }

    #[test]
    fn names_of_the_authority_and_those_below_them_are_permitted() {
        let issuing = issuing();
        for (name, permitted) in [
            ("example.com", true),
            ("a.b.example.com", true),
            ("one.test", true),
            ("notexample.com", false),
            ("example.com.evil.test", false),
            ("test", false),
        ] {
            assert_eq!(issuing.is_permitted(name), permitted, "{name}");
        }
    }

    #[test]
    fn certificates_are_kept_up_to_a_bound() {
        let issuing = issuing();
        let one = issuing.issue("a.example.com").unwrap();
        for number in 0..=ISSUED_MAX {
            issuing.keep(format!("a{number}.example.com"), Arc::clone(&one));
        }
        assert_eq!(issuing.issued.lock().unwrap().len(), 1);
        assert!(issuing.known(&format!("a{ISSUED_MAX}.example.com")).is_some());
    }
}
