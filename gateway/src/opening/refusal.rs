//! Why a handshake is refused, and how the client is answered.

use daemon::http::{Body, message};
use http::{HeaderValue, Response, StatusCode, header};

use crate::identity::{StrangePage, Unidentified};

/// Seconds after which a refused client may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Why a handshake is refused. docs/functions.md lists the statuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// No API has this path. The text is documented.
    #[error("There is no api match uri[{0}]")]
    NoSuchPath(String),
    /// Not a WebSocket handshake at all. The text is documented.
    #[error("need header Sec-WebSocket-Key.")]
    NotWebSocket,
    /// The request is not a valid handshake. The text says why.
    #[error("{0}")]
    BadHandshake(&'static str),
    /// A version of the protocol that this gateway does not speak.
    #[error("need header Sec-WebSocket-Version: 13")]
    WrongVersion,
    /// The page that the client belongs to may not connect.
    #[error("{0}")]
    StrangePage(#[from] StrangePage),
    /// The client did not prove who it is.
    #[error("{0}")]
    Unidentified(#[from] Unidentified),
    /// The register function refused. The text is the function's own.
    #[error("{0}")]
    Refused(String),
    /// The register function failed or answered something unreadable.
    #[error("the register function failed")]
    Faulted,
    /// The register function did not answer in time.
    #[error("the register function timed out")]
    TimedOut,
    /// No connection to the register function was made.
    #[error("the function cannot be reached, try again later")]
    Unreachable,
    /// The register function takes no more calls, or is shutting down.
    #[error("the function takes no calls at present, try again later")]
    NotRun,
    /// The gateway holds as many connections as it may.
    #[error("no room for another connection at present, try again later")]
    NoCapacity,
    /// As many clients of the API wait for register as may.
    #[error("too many clients of this api connect at present, try again later")]
    Busy,
    /// The journal cannot take the cleanup that the connection would owe.
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
            Self::NotWebSocket | Self::StrangePage(_) | Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::BadHandshake(_) => StatusCode::BAD_REQUEST,
            Self::WrongVersion => StatusCode::UPGRADE_REQUIRED,
            Self::Unidentified(reason) => reason.status(),
            Self::Faulted => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable
            | Self::NotRun
            | Self::NoCapacity
            | Self::Busy
            | Self::NoJournal
            | Self::Draining => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) fn response(&self) -> Response<Body> {
        let mut response = message(self.status(), &self.to_string());
        let headers = response.headers_mut();
        match self {
            Self::Unreachable
            | Self::NotRun
            | Self::NoCapacity
            | Self::Busy
            | Self::NoJournal
            | Self::Draining => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            // RFC 9110 section 15.5.22 and RFC 6455 section 4.2.2.
            Self::WrongVersion => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            Self::Unidentified(reason) => {
                if let Some(challenge) = reason.challenge() {
                    headers.insert(header::WWW_AUTHENTICATE, challenge);
                }
                if reason.may_try_again() {
                    headers.insert(header::RETRY_AFTER, RETRY_AFTER);
                }
            }
            Self::NoSuchPath(_)
            | Self::NotWebSocket
            | Self::BadHandshake(_)
            | Self::StrangePage(_)
            | Self::Refused(_)
            | Self::Faulted
            | Self::TimedOut => {}
        }
        response
    }
}
