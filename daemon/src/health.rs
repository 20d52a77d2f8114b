//! Answers about health and readiness.
//!
//! A process is alive for as long as it answers; it is ready while it takes new work.

use http::{Method, Request, Response, StatusCode};

use crate::{
    http::{Body, message},
    router::path_of,
};

/// Whether a request asks about health or readiness.
pub(crate) fn is_probe<B>(request: &Request<B>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && matches!(&*path_of(request.uri()), "/healthz" | "/readyz")
}

/// The answer to `GET /healthz`.
pub fn health() -> Response<Body> {
    message(StatusCode::OK, "alive")
}

/// The answer to `GET /readyz`. `obstacle` is why the process takes no new work.
pub fn readiness(obstacle: Option<&str>) -> Response<Body> {
    match obstacle {
        None => message(StatusCode::OK, "ready"),
        Some(obstacle) => message(StatusCode::SERVICE_UNAVAILABLE, obstacle),
    }
}
