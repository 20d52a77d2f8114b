//! The log lines of calls that failed. Each names the event, the API, the function, its URL, the
//! attempt and the connection, so that a line can be understood without another one.

use std::sync::Arc;

use shared::connection_id::ConnectionId;
use tokio::time::Instant;
use url::Url;

use super::{Call, CallError, EventName, FunctionClient, Origin};

/// What lines are about that are not logged each time: one function of one API.
pub(super) type Subject = (Repeated, Arc<str>, EventName);

/// What is not logged each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Repeated {
    /// A call failed and will be repeated.
    Retry,
    /// A function returned nothing.
    Nothing,
}

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

    /// Takes the turn to log `what` of `origin`, and says how many such lines were left out since
    /// the last one. None if there was a line a moment ago.
    pub(crate) fn line_turn(&self, what: Repeated, origin: &Origin) -> Option<u64> {
        let subject = (what, Arc::clone(&origin.api_id), origin.event);
        self.line_turns().turn(&subject, Instant::now())
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
    use shared::connection_id::BYTES;

    use super::*;

    #[tokio::test]
    async fn each_function_of_an_api_has_its_own_turns() {
        let runner = Url::parse("http://127.0.0.1:9002").unwrap();
        let token = http::HeaderValue::from_static("Bearer hunter2");
        let functions =
            FunctionClient::new(&runner, token, &daemon::peer::Peers::default()).unwrap();
        let origin = |event, api_id: &str| Origin {
            event,
            api_id: api_id.into(),
            connection_id: ConnectionId::from_bytes([0; BYTES]),
        };
        let turn = |what, event, api| functions.line_turn(what, &origin(event, api));
        for (what, event, api) in [
            (Repeated::Retry, EventName::Cleanup, "a"),
            (Repeated::Retry, EventName::Cleanup, "b"),
            (Repeated::Retry, EventName::Register, "a"),
            (Repeated::Nothing, EventName::Register, "a"),
        ] {
            assert_eq!(turn(what, event, api), Some(0));
        }
        assert_eq!(turn(Repeated::Retry, EventName::Cleanup, "a"), None);
    }

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
