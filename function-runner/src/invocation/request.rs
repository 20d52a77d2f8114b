//! What is invoked with: the event, and what is known of the caller.

use bytes::Bytes;

use super::recent_lines::RecentLines;

/// An invocation as it is requested.
#[derive(Debug)]
pub(crate) struct InvocationRequest {
    /// The event, which is JSON.
    pub(crate) event: Bytes,
    pub(crate) request_id: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) reply_to: ReplyTo,
    /// Gets the log lines of this invocation, if the caller wants them.
    pub(crate) tail: Option<RecentLines>,
}

/// Who gets the reply or the fault of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyTo {
    Caller,
    /// The caller does not wait: the cloud API's invocation type `Event`.
    Nobody,
}
