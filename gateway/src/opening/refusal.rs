//! Why a handshake was refused, and what the client is told.

use daemon::http::{Body, message};
use http::{HeaderValue, Response, StatusCode, header};

/// Seconds after which a client that found no room may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Why a handshake was refused (PROTOCOL.md, 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// No API has this path. The text is documented.
    #[error("There is no api match uri[{0}]")]
    NoSuchPath(String),
    /// Not a WebSocket handshake at all. The text is documented.
    #[error("need header Sec-WebSocket-Key.")]
    NotWebSocket,
    /// A handshake that is not right; the text says how.
    #[error("{0}")]
    BadHandshake(&'static str),
    /// A version of the protocol that this gateway does not speak.
    #[error("need header Sec-WebSocket-Version: 13")]
    WrongVersion,
    /// The register function refused; the text is its own.
    #[error("{0}")]
    Refused(String),
    /// The register function failed or answered something unreadable.
    #[error("the register function failed")]
    Faulted,
    /// The register function did not answer in time.
    #[error("the register function timed out")]
    TimedOut,
    /// No connection more can be held, or no function can be called at present.
    #[error("no room for another connection at present, try again later")]
    NoRoom,
    /// What a connection would owe cannot be written down.
    #[error("the gateway cannot take connections at present, try again later")]
    NoJournal,
    /// The gateway shuts down.
    #[error("the gateway is shutting down, try again later")]
    Draining,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchPath(_) => StatusCode::NOT_FOUND,
            Self::NotWebSocket | Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::BadHandshake(_) => StatusCode::BAD_REQUEST,
            Self::WrongVersion => StatusCode::UPGRADE_REQUIRED,
            Self::Faulted => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::NoRoom | Self::NoJournal | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) fn response(&self) -> Response<Body> {
        let mut response = message(self.status(), &self.to_string());
        let headers = response.headers_mut();
        match self {
            Self::NoRoom | Self::NoJournal | Self::Draining => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            // RFC 9110 section 15.5.22 and RFC 6455 section 4.2.2.
            Self::WrongVersion => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            Self::NoSuchPath(_)
            | Self::NotWebSocket
            | Self::BadHandshake(_)
            | Self::Refused(_)
            | Self::Faulted
            | Self::TimedOut => {}
        }
        response
    }
}
