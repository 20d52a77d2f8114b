//! How pushes reach their gateway: what the HTTP clients for pushes have in common, those of
//! functions in Rust and that of a runner which passes pushes on.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, ClientBuilder, redirect};
use url::Url;

/// How long an idle connection is kept. Common servers close an idle connection after 30 s; a push
/// must not be sent on a connection that the server is closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Makes the HTTP clients for pushes. The default trusts the authorities of the system, shows no
/// certificate, and sends to whoever is at the address.
#[derive(Clone, Default)]
pub struct PushTransport {
    /// Completes a client for a URL, if it is not as usual.
    complete: Option<Arc<Complete>>,
}

type Complete = dyn Fn(ClientBuilder, &Url) -> ClientBuilder + Send + Sync;

impl PushTransport {
    /// Clients are completed by `complete`, which gets the URL of their pushes.
    pub fn new(
        complete: impl Fn(ClientBuilder, &Url) -> ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        Self { complete: Some(Arc::new(complete)) }
    }

    /// A client for pushes to `url` and no other server. It has no timeout yet.
    pub fn client(&self, url: &Url) -> ClientBuilder {
        let mut http = Client::builder()
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy();
        if url.scheme() == "http" {
            // Without this, the client could not be built on a machine without root certificates.
            http = http.tls_certs_only([]);
        }
        match &self.complete {
            Some(complete) => complete(http, url),
            None => http,
        }
    }
}

/// Two are the same if one was cloned from the other, or both are the default.
impl PartialEq for PushTransport {
    fn eq(&self, other: &Self) -> bool {
        match (&self.complete, &other.complete) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

impl Eq for PushTransport {}

impl fmt::Debug for PushTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushTransport").finish_non_exhaustive()
    }
}
