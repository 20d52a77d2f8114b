//! Sessions with servers, which are resumed without a look at a certificate.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio_rustls::rustls::{
    NamedGroup,
    client::{
        ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue,
        Tls13ClientSessionValue,
    },
    pki_types::ServerName,
};

/// How many sessions are kept, as the library does by default.
const SESSIONS_MAX: usize = 256;

/// The sessions that may be resumed. After [`Self::end`] there are none any more: a server can give
/// a ticket at any time of a connection, also long after the exchange of the authorities that the
/// connection was checked with, and nothing in a ticket says which ones these were.
#[derive(Debug)]
pub(super) struct Sessions {
    kept: ClientSessionMemoryCache,
    have_ended: AtomicBool,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            kept: ClientSessionMemoryCache::new(SESSIONS_MAX),
            have_ended: AtomicBool::new(false),
        }
    }

    /// From now on each handshake shows certificates.
    pub(super) fn end(&self) {
        self.have_ended.store(true, Ordering::SeqCst);
    }

    fn kept(&self) -> Option<&ClientSessionMemoryCache> {
        (!self.have_ended.load(Ordering::SeqCst)).then_some(&self.kept)
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.kept.set_kx_hint(server_name, group);
    }

    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.kept.kx_hint(server_name)
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        if let Some(kept) = self.kept() {
            kept.set_tls12_session(server_name, value);
        }
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.kept()?.tls12_session(server_name)
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.kept.remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(
        &self,
        server_name: ServerName<'static>,
        value: Tls13ClientSessionValue,
    ) {
        if let Some(kept) = self.kept() {
            kept.insert_tls13_ticket(server_name, value);
        }
    }

    fn take_tls13_ticket(
        &self,
        server_name: &ServerName<'static>,
    ) -> Option<Tls13ClientSessionValue> {
        self.kept()?.take_tls13_ticket(server_name)
    }
}
