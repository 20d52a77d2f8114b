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
}

impl Unidentified {
    pub(crate) fn status(&self) -> StatusCode {
        match self.reason {
            Reason::NoSignature | Reason::BadSignature(_) => StatusCode::UNAUTHORIZED,
        }
    }

    /// `WWW-Authenticate`, which a 401 must have (RFC 9110, section 15.5.2).
    pub(crate) fn challenge(&self) -> Option<HeaderValue> {
        let api = &self.api_id;
        let challenge = match self.reason {
            Reason::NoSignature | Reason::BadSignature(_) => format!("hmac realm=\"{api}\""),
        };
        Some(HeaderValue::try_from(challenge).expect("ids and texts have visible characters only"))
    }
}
