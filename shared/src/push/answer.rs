//! The answer to a reverse push. Always JSON, because existing callers parse it without looking at
//! the status.

use serde::{Deserialize, Serialize};
use strum::EnumIter;

/// `{"errNo":0,"errMsg":"ok"}` (documented). `failed` is ours: the connections that did not get the
/// push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAnswer {
    /// 0, or [`PushError::err_no`].
    #[serde(rename = "errNo")]
    pub err_no: u16,
    /// `ok`, or what went wrong.
    #[serde(rename = "errMsg", default)]
    pub err_msg: String,
    /// The connections that did not get a push to many; absent if empty. `errNo` is 0 then,
    /// because the other connections did get the push: sending all of it again would reach them
    /// twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedPush>,
}

/// One connection that did not get a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedPush {
    /// The id as it stands in the request.
    #[serde(rename = "secConnectionID")]
    pub connection_id: String,
    /// [`PushError::err_no`].
    #[serde(rename = "errNo")]
    pub err_no: u16,
    /// What went wrong.
    #[serde(rename = "errMsg")]
    pub err_msg: String,
}

/// Why a push was not carried out. `docs/functions.md` has the table of numbers under "Pushing".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EnumIter)]
pub enum PushError {
    /// The body is not the documented JSON.
    #[error("{0}")]
    BadRequest(String),
    /// Push credentials are missing, wrong, or another API's. The text says which, and what would
    /// be right.
    #[error("push credentials are missing, wrong, or another api's: {0}")]
    Unauthorized(String),
    /// No API with this id.
    #[error("no api with id {0:?}: push to the id of an [[api]] in the gateway's settings")]
    UnknownApi(String),
    /// There is no connection with this id. The caller can delete its record of the connection.
    #[error("no such connection: it is gone")]
    Gone,
    /// The message is larger than the API's message limit.
    #[error("not delivered: {bytes} bytes, the api's message limit is {limit}")]
    TooLarge {
        /// The size of the message in bytes.
        bytes: usize,
        /// The API's limit in bytes.
        limit: usize,
    },
    /// The body of the request is larger than bodies of pushes may be. The text says how large.
    #[error("not delivered: {0}")]
    BodyTooLarge(String),
    /// The body is in an encoding that is not known here. The text says which are.
    #[error("not delivered: {0}")]
    UnknownEncoding(String),
    /// The request names more connections than one request may.
    #[error("not delivered: {0}")]
    TooManyIds(String),
    /// `action`, `dataType` or `data` is invalid. The text says which, and what would be right.
    #[error("not delivered: {0}")]
    Invalid(String),
    /// The client reads too slowly, and its queue is full.
    #[error("not delivered: the client reads too slowly and its queue is full")]
    SlowReader,
    /// The bodies of the pushes in progress use all the memory for push bodies.
    #[error("not delivered: too many pushes at once; try again")]
    TooMany,
    /// The bodies of the caller's pushes in progress use its share of that memory.
    #[error("not delivered: too many pushes of this caller at once; try again")]
    TooManyOfCaller,
    /// The gateway is shutting down.
    #[error("not delivered: the gateway is shutting down")]
    ShuttingDown,
}

impl PushError {
    /// The `errNo` on the wire.
    pub fn err_no(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Unauthorized(_) => 401,
            Self::UnknownApi(_) => 404,
            Self::Gone => 410,
            Self::TooLarge { .. } | Self::BodyTooLarge(_) | Self::TooManyIds(_) => 413,
            Self::UnknownEncoding(_) => 415,
            Self::Invalid(_) => 422,
            Self::SlowReader | Self::TooMany | Self::TooManyOfCaller => 429,
            Self::ShuttingDown => 503,
        }
    }

    /// The HTTP status. A push that could be read is answered 200, even if it was not delivered:
    /// existing code pushes to stale ids all the time, and some HTTP clients throw on 4xx.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Gone | Self::TooLarge { .. } | Self::Invalid(_) | Self::SlowReader => 200,
            Self::BadRequest(_)
            | Self::Unauthorized(_)
            | Self::UnknownApi(_)
            | Self::BodyTooLarge(_)
            | Self::UnknownEncoding(_)
            | Self::TooMany
            | Self::TooManyOfCaller
            | Self::TooManyIds(_)
            | Self::ShuttingDown => self.err_no(),
        }
    }
}

impl PushAnswer {
    /// Every connection got the push.
    pub fn ok() -> Self {
        Self::batch(Vec::new())
    }

    /// The push was carried out, and the connections in `failed` did not get it.
    pub fn batch(failed: Vec<FailedPush>) -> Self {
        Self { err_no: 0, err_msg: "ok".to_owned(), failed }
    }
}

impl FailedPush {
    /// `connection_id` did not get the push because of `error`.
    pub fn new(connection_id: String, error: &PushError) -> Self {
        Self { connection_id, err_no: error.err_no(), err_msg: error.to_string() }
    }
}

impl From<&PushError> for PushAnswer {
    fn from(error: &PushError) -> Self {
        Self { err_no: error.err_no(), err_msg: error.to_string(), failed: Vec::new() }
    }
}
