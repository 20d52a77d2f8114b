//! Answers about health and readiness.
//!
//! A process is alive for as long as it answers; it is ready while it takes new work.

use http::{Method, Request, Response, StatusCode};

use crate::{
    http::{Body, message},
    path::{normal, without_slash_last},
};

/// The paths where a listener has paths of others too.
pub const PUBLIC_HEALTH: &str = "/~/healthz";
pub const PUBLIC_READINESS: &str = "/~/readyz";

/// Whether a request asks about health or readiness.
pub(crate) fn is_probe<B>(request: &Request<B>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && matches!(
            without_slash_last(&normal(request.uri().path())),
            "/healthz" | "/readyz" | PUBLIC_HEALTH | PUBLIC_READINESS
        )
}

/// The answer about health.
pub fn health() -> Response<Body> {
    message(StatusCode::OK, "alive")
}

/// The answer about readiness. Anybody may ask, so that it does not say why a process takes no new
/// work.
pub fn readiness(is_ready: bool) -> Response<Body> {
    if is_ready {
        message(StatusCode::OK, "ready")
    } else {
        message(StatusCode::SERVICE_UNAVAILABLE, "not ready")
    }
}
