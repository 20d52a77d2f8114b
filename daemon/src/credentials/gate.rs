//! Tells callers of an internal listener apart, and refuses those that may not use a route.

use std::{
    mem::{Discriminant, discriminant},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use http::{Response, StatusCode};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::{Credentials, Presented, challenge};
use crate::{
    http::{Body, message},
    path::normal,
    telemetry::LineTurns,
};

/// The pause between two warnings of the same kind. Callers could fill the log otherwise.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// Tells callers of one listener apart. A handle.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    credentials: Credentials,
    lines: LineTurns<Discriminant<Denial>>,
}

/// Who a caller is by the token that it presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller<'r> {
    /// A service of ours.
    Service,
    /// Whoever runs the machine.
    Operator,
    /// A caller with neither token.
    Other(Presented<'r>),
}

/// Why a caller may not use a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The caller presents nothing. The text says what would be right.
    #[error("no token: {0}")]
    Missing(String),
    /// What the caller presents is not a token of this listener.
    #[error("a wrong token: {0}")]
    Wrong(String),
    /// The token is for something else. The text says what the caller may not do.
    #[error("{0}")]
    NotThis(String),
}

impl Gate {
    /// The gate of a listener with these tokens.
    pub fn new(credentials: Credentials) -> Self {
        Self(Arc::new(Inner { credentials, lines: LineTurns::new(LINE_PAUSE) }))
    }

    /// The tokens of the listener.
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// Whether nobody is asked for a token.
    pub fn is_open(&self) -> bool {
        self.0.credentials.is_insecure
    }

    /// Who presents this.
    pub fn caller<'r>(&self, presented: Presented<'r>) -> Caller<'r> {
        let Credentials { service, operator, .. } = &self.0.credentials;
        match presented {
            // Both are compared, so that the time does not say which one fits.
            Presented::Token(token) => match (service.matches(token), operator.matches(token)) {
                (true, _) => Caller::Service,
                (false, true) => Caller::Operator,
                (false, false) => Caller::Other(presented),
            },
            Presented::Nothing | Presented::Unreadable => Caller::Other(presented),
        }
    }

    /// The answer to a request of `peer` for `path` that is denied. It is logged.
    pub fn refuse(&self, peer: SocketAddr, path: &str, denial: &Denial) -> Response<Body> {
        self.log(peer, path, denial);
        challenge(message(StatusCode::UNAUTHORIZED, &denial.to_string()))
    }

    /// Logs a request of `peer` for `path` that is denied: now and then one of each kind as a
    /// warning, which says how many were left out.
    pub fn log(&self, peer: SocketAddr, path: &str, denial: &Denial) {
        let path = &*normal(path);
        match self.0.lines.turn(&discriminant(denial), Instant::now()) {
            Some(left_out) => warn!(
                client.address = %peer, http.request.path = path, left_out,
                "request refused: {denial}"
            ),
            None => debug!(
                client.address = %peer, http.request.path = path, "request refused: {denial}"
            ),
        }
    }
}

impl Caller<'_> {
    /// The denial of a caller that is not known here. `right` says what would be right.
    pub fn denial(self, right: impl Into<String>) -> Denial {
        let right = right.into();
        match self {
            Self::Other(Presented::Nothing) => Denial::Missing(right),
            Self::Other(Presented::Unreadable | Presented::Token(_)) => Denial::Wrong(right),
            Self::Service | Self::Operator => Denial::NotThis(right),
        }
    }
}
