//! Which certificate a client gets.

use std::sync::{Arc, RwLock};

use tokio_rustls::rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{
    acme::{self, Challenges},
    pair::Pair,
};

/// The certificates in use. The first one is for clients that ask for no name, or for another one.
#[derive(Debug)]
pub(super) struct Choice {
    pairs: RwLock<Arc<[Pair]>>,
    /// What an authority wants to see before it issues the certificate of `tls.acme`.
    challenges: Option<Arc<Challenges>>,
}

impl Choice {
    pub(super) fn new(pairs: Vec<Pair>, challenges: Option<Arc<Challenges>>) -> Self {
        Self { pairs: RwLock::new(pairs.into()), challenges }
    }

    /// Uses `pairs` from the next handshake on.
    pub(super) fn replace(&self, pairs: Vec<Pair>) {
        *self.pairs.write().expect("nothing panics with the lock held") = pairs.into();
    }

    pub(super) fn pairs(&self) -> Arc<[Pair]> {
        Arc::clone(&self.pairs.read().expect("nothing panics with the lock held"))
    }

    /// The protocols above TLS, in the order in which they are chosen.
    pub(super) fn protocols(&self) -> Vec<Vec<u8>> {
        let of_authorities = self.challenges.as_ref().map(|_| acme::PROTOCOL.to_vec());
        [b"http/1.1".to_vec()].into_iter().chain(of_authorities).collect()
    }
}

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(challenges) = self.challenges.as_ref().filter(|_| acme::asks_for_proof(&hello))
        {
            return challenges.proof(hello.server_name()?);
        }
        let pairs = self.pairs();
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        let chosen = asked.and_then(|asked| choose(&pairs, &asked));
        chosen.or(pairs.first()).map(|pair| Arc::clone(&pair.certified))
    }
}

/// The certificate that has the name itself, or else one for all names beside it.
fn choose<'a>(pairs: &'a [Pair], asked: &str) -> Option<&'a Pair> {
    let with = |name: &str| pairs.iter().find(|pair| pair.names.iter().any(|own| own == name));
    with(asked).or_else(|| {
        let (_, above) = asked.split_once('.')?;
        with(&format!("*.{above}"))
    })
}
