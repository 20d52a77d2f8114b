//! How the pushes of all functions reach the gateway.

use daemon::{peer::Peers, tls::OutboundTls};
use functions::PushTransport;
use http::HeaderValue;

use crate::cloud::CloudProcess;

/// What all pushes present to the gateway, and how they reach it.
#[derive(Debug, Clone)]
pub(crate) struct GatewayAccess {
    /// The token of the runner.
    pub(crate) authorization: HeaderValue,
    pub(crate) transport: PushTransport,
    /// What functions have of the cloud.
    pub(crate) cloud: CloudProcess,
}

impl GatewayAccess {
    /// The access with `authorization`. Over `http` only `peers` get anything on this machine.
    /// `tls` is that of `https`, if it is not as usual.
    pub(crate) fn new(
        authorization: HeaderValue,
        peers: Peers,
        tls: Option<OutboundTls>,
        cloud: CloudProcess,
    ) -> Self {
        let transport = PushTransport::new(move |http, url| match (url.scheme(), &tls) {
            ("http", _) => http.connector_layer(peers.layer()),
            (_, Some(tls)) => http.tls_backend_preconfigured(tls.configuration()),
            (_, None) => http,
        });
        Self { authorization, transport, cloud }
    }
}
