//! How pushes reach their gateway: what the HTTP clients for pushes have in common, those of
//! functions in Rust and that of a runner which passes pushes on.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect};
use url::Url;

/// How long an idle connection is kept. Common servers close an idle connection after 30 s; a push
/// must not be sent on a connection that the server is closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// A client for pushes to `url` and no other server. It has no timeout yet.
pub fn push_client_builder(url: &Url) -> ClientBuilder {
    let http = Client::builder()
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(redirect::Policy::none())
        .no_proxy();
    if url.scheme() == "http" {
        // Without this, the client could not be built on a machine without root certificates.
        return http.tls_certs_only([]);
    }
    http
}
