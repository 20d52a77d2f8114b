//! What a listener agrees to in a handshake.

use std::sync::Arc;

use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs::{Ticketer, default_provider},
    server::{ResolvesServerCert, ServerSessionMemoryCache},
};
use tracing::warn;

/// How many sessions are kept for clients that do not keep them in a ticket.
const SESSIONS_MAX: usize = 1024;

/// TLS 1.2 and 1.3 for HTTP/1.1. A client that comes again resumes its session: with a ticket, or
/// with an id of TLS 1.2.
pub(super) fn server(certificates: Arc<impl ResolvesServerCert + 'static>) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the suites of both versions");
    let mut server = builder.with_no_client_auth().with_cert_resolver(certificates);
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    server.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
    match Ticketer::new() {
        Ok(ticketer) => server.ticketer = ticketer,
        Err(error) => warn!(%error, "sessions are resumed without tickets"),
    }
    Arc::new(server)
}
