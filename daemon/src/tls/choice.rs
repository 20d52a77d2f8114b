//! Which certificate a client gets.

use std::sync::{Arc, RwLock};

use tokio_rustls::rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::pair::Pair;

/// The certificates in use. The first one is for clients that ask for no name, or for another one.
#[derive(Debug)]
pub(super) struct Choice(RwLock<Arc<[Pair]>>);

impl Choice {
    pub(super) fn new(pairs: Vec<Pair>) -> Self {
        Self(RwLock::new(pairs.into()))
    }

    /// Uses `pairs` from the next handshake on.
    pub(super) fn replace(&self, pairs: Vec<Pair>) {
        *self.0.write().expect("nothing panics with the lock held") = pairs.into();
    }

    pub(super) fn pairs(&self) -> Arc<[Pair]> {
        Arc::clone(&self.0.read().expect("nothing panics with the lock held"))
    }
}

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
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
