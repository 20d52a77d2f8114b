//! What a function asks for with a push, and what came of it.

pub(crate) use shared::push::{FUNCTION_HEADER, PUSH_TO_HEADER};

use crate::registry::Message;

/// What one request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushes {
    /// One thing, for the connection with this id. An id stays text: it may be one that no
    /// connection ever had.
    One(String, Result<Effect, String>),
    /// Many things, each for the connections with these ids.
    Many(Vec<(Vec<String>, Result<Effect, String>)>),
}

/// What is to happen to a connection. Where a request does not make sense, a text says why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The message is written to the client.
    Send(Message),
    /// The connection is closed.
    Close,
}

impl Pushes {
    /// Whether the request asks for a message to be sent.
    pub(crate) fn send_any(&self) -> bool {
        let sends = |effect: &Result<Effect, _>| matches!(effect, Ok(Effect::Send(_)));
        match self {
            Self::One(_, effect) => sends(effect),
            Self::Many(pushes) => pushes.iter().any(|(_, effect)| sends(effect)),
        }
    }
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum PushOutcome {
    /// Of one push for one connection.
    One(Result<(), NotPushed>),
    /// Of many: those that were not carried out, with the ids as the function wrote them.
    Many(Vec<(String, NotPushed)>),
    /// Nothing was carried out.
    Refused(PushRefusal),
}

/// About how many bytes an answer has for each connection that did not get its push, beside the id.
const FAILED_BYTES: usize = 96;

impl PushOutcome {
    /// About how many bytes the answer has.
    pub(crate) fn answer_bytes(&self) -> usize {
        match self {
            Self::One(_) | Self::Refused(_) => FAILED_BYTES,
            Self::Many(failed) => failed.iter().map(|(id, _)| id.len() + FAILED_BYTES).sum(),
        }
    }
}

/// Why one connection did not get what was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotPushed {
    /// There is no such connection.
    Gone,
    /// The message is larger than the API allows.
    TooLarge { bytes: usize, limit: usize },
    /// The push does not make sense. The text says why.
    Invalid(String),
    /// The client reads too slowly, and its queue is full.
    SlowReader,
}

/// Why a whole request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PushRefusal {
    /// The body is not a push. The text says why.
    BadRequest(String),
    /// The body is encoded in a way that is not known. The text says how, and what would be right.
    UnknownEncoding(String),
    /// The body is larger than a body may be. The text says how large that is.
    BodyTooLarge(String),
    /// The request names more connections than one request may. The text says how many that is.
    TooManyIds(String),
    /// The caller may not push to this API. The text says why, and what would be right.
    Unauthorized(String),
    /// No API has this id.
    UnknownApi(String),
    /// The bodies that are being read take all the memory that they may.
    TooMany,
    /// The bodies of this caller take all of its share of that memory.
    TooManyOfCaller,
    /// The gateway is shutting down.
    ShuttingDown,
}
