//! Why a client is not let in: the status, the challenge and the text of the answer.
//!
//! The texts are fixed. They say what a client with a right key has to do, and nothing of what
//! came, nor whether an id or a key exists.

use std::sync::Arc;

use http::{HeaderValue, StatusCode};

/// A client did not prove who it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Unidentified {
    pub(crate) api_id: Arc<str>,
    pub(crate) reason: Reason,
}

/// What is wrong with the proof, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reason {
    /// There is no signature.
    #[error(
        "need header Authorization: hmac id=\"…\", algorithm=\"hmac-sha256\", headers=\"date …\", signature=\"…\""
    )]
    NoSignature,
    /// The signature cannot be taken; the text says why.
    #[error("{0}")]
    BadSignature(&'static str),
    /// There is no token.
    #[error("need a token, such as header Authorization: Bearer …")]
    NoToken,
    /// There are two tokens, or two headers that may have one.
    #[error("need one token in one place")]
    TwoTokens,
    /// `Authorization` may have a token for a reader that takes more forms than this one.
    #[error("header Authorization is not of the form Bearer, one space, token")]
    BadHeader,
    /// The token cannot be taken; the text says why.
    #[error("{0}")]
    BadToken(&'static str),
    /// The token names a key that is not there.
    #[error("the key of the token (kid) is not known")]
    UnknownKey,
    /// The keys could not be fetched yet.
    #[error("tokens cannot be checked at present, try again later")]
    NoKeys,
    /// The settings of the API have changed while the proof was checked.
    #[error("the settings of this api have changed just now, try again")]
    Changed,
}

impl Unidentified {
    /// Those of RFC 6750, section 3.1, for tokens.
    pub(crate) fn status(&self) -> StatusCode {
        match self.reason {
            Reason::NoSignature
            | Reason::BadSignature(_)
            | Reason::NoToken
            | Reason::BadToken(_)
            | Reason::UnknownKey => StatusCode::UNAUTHORIZED,
            Reason::TwoTokens | Reason::BadHeader => StatusCode::BAD_REQUEST,
            Reason::NoKeys | Reason::Changed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Whether the client may be let in if it tries again with the same proof.
    pub(crate) fn may_try_again(&self) -> bool {
        matches!(self.reason, Reason::NoKeys | Reason::Changed)
    }

    /// `WWW-Authenticate`, which a 401 must have (RFC 9110, section 15.5.2).
    pub(crate) fn challenge(&self) -> Option<HeaderValue> {
        let (api, reason) = (&self.api_id, self.reason);
        let with_error = |error| {
            format!("Bearer realm=\"{api}\", error=\"{error}\", error_description=\"{reason}\"")
        };
        let challenge = match reason {
            Reason::NoSignature | Reason::BadSignature(_) => format!("hmac realm=\"{api}\""),
            // Without an error: RFC 6750, section 3.1.
            Reason::NoToken => format!("Bearer realm=\"{api}\""),
            Reason::TwoTokens | Reason::BadHeader => with_error("invalid_request"),
            Reason::BadToken(_) | Reason::UnknownKey => with_error("invalid_token"),
            Reason::NoKeys | Reason::Changed => return None,
        };
        Some(HeaderValue::try_from(challenge).expect("ids and texts are ASCII without quotes"))
    }
}
