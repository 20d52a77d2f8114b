//! What a listener agrees to in a handshake.

use std::sync::Arc;

use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs::{Ticketer, default_provider},
    server::{NoServerSessionStorage, ServerSessionMemoryCache},
};
use tracing::warn;

use super::{choice::Choice, client_check::ClientCheck};

/// How many sessions are kept for clients that do not keep them in a ticket.
const SESSIONS_MAX: usize = 1024;

/// TLS 1.2 and 1.3 for HTTP/1.1. A client that comes again resumes its session: with a ticket, or
/// with an id of TLS 1.2. With `client_check` it does not: a session would outlive the certificate
/// of the client, and the authority that signed it.
pub(super) fn server(
    certificates: Arc<Choice>,
    client_check: Option<Arc<ClientCheck>>,
) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the suites of both versions");
    let are_resumed = client_check.is_none();
    let builder = match client_check {
        Some(check) => builder.with_client_cert_verifier(check),
        None => builder.with_no_client_auth(),
    };
    let protocols = certificates.protocols();
    let mut server = builder.with_cert_resolver(certificates);
    server.alpn_protocols = protocols;
    if !are_resumed {
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        return Arc::new(server);
    }
    server.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
    match Ticketer::new() {
        Ok(ticketer) => server.ticketer = ticketer,
        Err(error) => warn!(%error, "sessions are resumed without tickets"),
    }
    Arc::new(server)
}
