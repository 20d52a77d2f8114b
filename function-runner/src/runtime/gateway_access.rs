//! How the pushes of all functions reach the gateway.

use daemon::tls::OutboundTls;
use functions::PushTransport;
use http::HeaderValue;

/// What all pushes present to the gateway, and how they reach it.
#[derive(Debug, Clone)]
pub(crate) struct GatewayAccess {
    /// The token of the runner.
    pub(crate) authorization: HeaderValue,
    pub(crate) transport: PushTransport,
}

impl GatewayAccess {
    /// The access with `authorization`. `tls` is that of `https`, if it is not as usual.
    pub(crate) fn new(authorization: HeaderValue, tls: Option<OutboundTls>) -> Self {
        let transport = tls.map(|tls| {
            PushTransport::with_tls(move |http| http.tls_backend_preconfigured(tls.configuration()))
        });
        Self { authorization, transport: transport.unwrap_or_default() }
    }
}
