//! The answer to a reverse push: always JSON, because callers read it as such.

use serde::{Deserialize, Serialize};

/// `{"errNo":0,"errMsg":"ok"}` (documented), with `failed` where not everybody was reached (ours).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAnswer {
    /// 0, or the number of a [`PushError`].
    #[serde(rename = "errNo")]
    pub err_no: u16,
    /// `ok`, or what went wrong.
    #[serde(rename = "errMsg", default)]
    pub err_msg: String,
    /// The connections that a batch did not reach. `errNo` is 0 beside it: the batch itself was
    /// carried out, and sending it again would reach the others twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedPush>,
}

/// One connection that did not get what was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedPush {
    /// The id as the caller wrote it.
    #[serde(rename = "secConnectionID")]
    pub connection_id: String,
    /// The number of a [`PushError`].
    #[serde(rename = "errNo")]
    pub err_no: u16,
    /// What went wrong.
    #[serde(rename = "errMsg")]
    pub err_msg: String,
}

/// Why a push was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The body is not the documented JSON.
    #[error("{0}")]
    BadRequest(String),
    /// Push credentials are missing or wrong.
    #[error("push credentials are missing or wrong")]
    Unauthorized,
    /// No API with this id.
    #[error("no api with id {0:?}: push to the id of an [[api]] in the gateway's settings")]
    UnknownApi(String),
    /// The connection is gone: its record can be deleted.
    #[error("no such connection: it is gone")]
    Gone,
    /// Larger than the API's message limit.
    #[error("not delivered: {bytes} bytes, the api's message limit is {limit}")]
    TooLarge {
        /// Size of the payload.
        bytes: usize,
        /// The API's limit.
        limit: usize,
    },
    /// The action, `dataType` or `data` makes no sense.
    #[error("not delivered: {0}")]
    Invalid(String),
    /// The client reads too slowly.
    #[error("not delivered: the client reads too slowly and its queue is full")]
    SlowReader,
    /// The bodies that are being read take all the memory that they may.
    #[error("not delivered: too many pushes at once; try again")]
    TooMany,
    /// The gateway is shutting down.
    #[error("not delivered: the gateway is shutting down")]
    ShuttingDown,
}

impl PushError {
    /// The `errNo` on the wire.
    pub fn err_no(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Unauthorized => 401,
            Self::UnknownApi(_) => 404,
            Self::Gone => 410,
            Self::TooLarge { .. } => 413,
            Self::Invalid(_) => 422,
            Self::SlowReader | Self::TooMany => 429,
            Self::ShuttingDown => 503,
        }
    }

    /// The HTTP status. A push that was understood is answered 200 whatever came of it: existing
    /// code pushes to stale ids all the time, and some HTTP clients throw on 4xx.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Gone | Self::TooLarge { .. } | Self::Invalid(_) | Self::SlowReader => 200,
            Self::BadRequest(_)
            | Self::Unauthorized
            | Self::UnknownApi(_)
            | Self::TooMany
            | Self::ShuttingDown => self.err_no(),
        }
    }
}

impl PushAnswer {
    /// Everybody was reached.
    pub fn ok() -> Self {
        Self::batch(Vec::new())
    }

    /// A batch was carried out; `failed` did not get it.
    pub fn batch(failed: Vec<FailedPush>) -> Self {
        Self { err_no: 0, err_msg: "ok".to_owned(), failed }
    }
}

impl FailedPush {
    /// Says that `connection_id` did not get what was pushed, because of `error`.
    pub fn new(connection_id: String, error: &PushError) -> Self {
        Self { connection_id, err_no: error.err_no(), err_msg: error.to_string() }
    }
}

impl From<&PushError> for PushAnswer {
    fn from(error: &PushError) -> Self {
        Self { err_no: error.err_no(), err_msg: error.to_string(), failed: Vec::new() }
    }
}
