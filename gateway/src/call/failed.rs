//! The log lines of calls that failed. Each names the event, the API, the function, its URL, the
//! attempt and the connection, so that a line can be understood without another one.

use std::sync::Arc;

use shared::connection_id::ConnectionId;
use tokio::time::Instant;
use url::Url;

use super::{Call, CallError, EventName, FunctionClient, Origin};

/// What lines are about that are not logged each time.
pub(super) type Subject = (Arc<str>, EventName);

/// What the log line of a failed call says.
#[derive(Debug)]
pub(crate) struct FailedCall<'a> {
    pub(crate) event: &'static str,
    pub(crate) api_id: &'a str,
    /// The name of the function, if it is one of the runner's.
    pub(crate) function: Option<&'a str>,
    pub(crate) url: String,
    pub(crate) connection_id: ConnectionId,
    pub(crate) invocation_id: &'a str,
    pub(crate) attempt: u32,
    pub(crate) error: &'a CallError,
}

impl FailedCall<'_> {
    /// As one text: the log in JSON has no place for a chain of errors.
    pub(crate) fn source(&self) -> Option<String> {
        self.error.causes()
    }
}

impl FunctionClient {
    /// The name of the function at `url`, if it is one of the runner's.
    pub(crate) fn name_of<'a>(&self, url: &'a Url) -> Option<&'a str> {
        self.runner().url().name_of(url)
    }

    /// Takes the turn to log a call of `origin` that will be repeated, and says how many were left
    /// out since the last one. None if there was a line a moment ago.
    pub(crate) fn retry_line(&self, origin: &Origin) -> Option<u64> {
        self.retry_lines().turn(&subject(origin), Instant::now())
    }

    /// The same for the line that says that a function of `origin` returned nothing.
    pub(crate) fn nothing_line(&self, origin: &Origin) -> Option<u64> {
        self.nothing_lines().turn(&subject(origin), Instant::now())
    }

    /// For the log line that says that `call` failed.
    pub(crate) fn failed<'a>(&'a self, call: &'a Call, error: &'a CallError) -> FailedCall<'a> {
        FailedCall {
            event: call.origin.event.as_str(),
            api_id: &call.origin.api_id,
            function: self.name_of(&call.url),
            url: shown(&call.url),
            connection_id: call.origin.connection_id,
            invocation_id: &call.request_id,
            attempt: call.attempt.unwrap_or(error.attempts),
            error,
        }
    }
}

/// Logs at `$level` that a call failed, with the fields of a [`FailedCall`] and others.
macro_rules! log_failed {
    ($level:ident, $failed:expr, $($rest:tt)+) => {{
        let failed = $failed;
        tracing::$level!(
            call.event = failed.event, api.id = failed.api_id, function.name = failed.function,
            url.full = %failed.url, connection.id = %failed.connection_id,
            invocation.id = failed.invocation_id, attempt = failed.attempt,
            error = %failed.error, source = failed.source(), $($rest)+
        )
    }};
}

pub(crate) use log_failed;

/// One function of one API.
fn subject(origin: &Origin) -> Subject {
    (Arc::clone(&origin.api_id), origin.event)
}

/// The address without what may be secret: a user, a password, a query.
pub(crate) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Fails only for addresses that have no host. Those have no user either.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    if shown.query().is_some() {
        shown.set_query(Some("…"));
        return shown.as_str().replace("%E2%80%A6", "…");
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for (url, expected) in [
            ("http://127.0.0.1:9002/functions/f/invocations", None),
            ("https://user:secret@a.example/f", Some("https://a.example/f")),
            ("http://a.example/f?token=secret#part", Some("http://a.example/f?…")),
        ] {
            assert_eq!(shown(&Url::parse(url).unwrap()), expected.unwrap_or(url));
        }
    }
}
