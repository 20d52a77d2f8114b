//! What an invocation is to do, and for whom.

use bytes::Bytes;

use super::recent_lines::RecentLines;

/// What an invocation is to do, and for whom.
#[derive(Debug)]
pub(crate) struct InvocationRequest {
    /// JSON.
    pub(crate) event: Bytes,
    pub(crate) request_id: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) reply_to: ReplyTo,
    /// Where the caller reads the lines of this invocation.
    pub(crate) tail: Option<RecentLines>,
}

/// Whether somebody is told what becomes of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyTo {
    Caller,
    Nobody,
}
