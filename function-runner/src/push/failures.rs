//! The log lines of pushes that have failed, with their function.
//!
//! A function may push at any rate, so of each kind of failure there is one line in a while. It
//! says how many were left out.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::StatusCode;
use shared::push::PushError;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::{
    answer::meaning,
    begin::{Begin, is_plain},
};
use crate::invocation::RecentLines;

/// The time in which there is one line of a kind.
const INTERVAL: Duration = Duration::from_secs(10);

/// Why a push has failed.
#[derive(Debug)]
pub(crate) struct PushFailure {
    pub(super) status: StatusCode,
    pub(super) err_no: Option<u16>,
    pub(super) what: String,
    /// The connection that did not get it, if that is known and can be shown.
    pub(super) connection: Option<String>,
    /// For the log only.
    cause: Option<String>,
}

impl PushFailure {
    /// The runner did not pass it on, or got no answer.
    pub(crate) fn of_runner(status: StatusCode, what: &str) -> Self {
        let (err_no, what) = (Some(status.as_u16()), what.to_owned());
        Self { status, err_no, what, connection: None, cause: None }
    }

    /// The gateway has answered so.
    pub(super) fn of_gateway(status: StatusCode, err_no: Option<u16>) -> Self {
        let what = meaning(status, err_no).to_owned();
        Self { status, err_no, what, connection: None, cause: None }
    }

    /// The gateway has carried it out, and its answer is too long to be read: it names the
    /// connections that did not get the push.
    pub(super) fn unread() -> Self {
        let what = "its answer, which names them, is too long to be read".to_owned();
        Self { status: StatusCode::OK, err_no: None, what, connection: None, cause: None }
    }

    pub(super) fn because(self, cause: String) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// `id` is as a function has written it, so that not each one is shown.
    pub(super) fn for_connection(self, id: String) -> Self {
        Self { connection: Some(id).filter(|id| is_plain(id.as_bytes())), ..self }
    }

    /// The failure of a push whose body begins so.
    pub(super) fn of(self, begin: &Begin) -> Self {
        let connection = self.connection.clone().or_else(|| begin.connection());
        Self { connection, ..self }
    }
}

/// Writes the lines of one function.
#[derive(Debug)]
pub(super) struct Failures {
    function: String,
    lines: RecentLines,
    /// By the number of the failure.
    last: Mutex<HashMap<u16, Last>>,
}

/// The last line of a kind.
#[derive(Debug)]
struct Last {
    at: Instant,
    left_out: usize,
}

impl Failures {
    pub(super) fn new(function: &str, lines: RecentLines) -> Self {
        Self { function: function.to_owned(), lines, last: Mutex::default() }
    }

    /// A push to `api` has failed.
    pub(super) fn note(&self, api: &str, failure: &PushFailure) {
        let PushFailure { status, err_no, what, connection, cause } = failure;
        let (function, status) = (&*self.function, status.as_u16());
        let number = err_no.unwrap_or(status);
        let how = match (err_no, status) {
            (None, 200) => "for some connections".to_owned(),
            _ => format!("with errNo {number}"),
        };
        let mut text = format!("push of function {function} to {api} failed {how}: {what}");
        if let Some(id) = connection {
            let _ = write!(text, " (connection {id})");
        }
        // Functions push to connections that are gone all the time.
        let left_out = if number == PushError::Gone.err_no() { None } else { self.turn(number) };
        let Some(left_out) = left_out else {
            return debug!(
                function.name = function,
                push.api = api,
                connection.id = connection,
                http.response.status_code = status,
                error = cause,
                "{text}"
            );
        };
        warn!(
            function.name = function,
            push.api = api,
            connection.id = connection,
            http.response.status_code = status,
            error = cause,
            left_out,
            "{text}"
        );
        self.lines.push(&[Arc::from(text)]);
    }

    /// How many lines of this kind were left out, if it is time for one.
    fn turn(&self, number: u16) -> Option<usize> {
        let now = Instant::now();
        let mut all = self.last.lock().expect("nothing panics with the lock held");
        let Some(last) = all.get_mut(&number) else {
            all.insert(number, Last { at: now, left_out: 0 });
            return Some(0);
        };
        if now - last.at < INTERVAL {
            last.left_out += 1;
            return None;
        }
        let left_out = last.left_out;
        *last = Last { at: now, left_out: 0 };
        Some(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn there_is_one_line_of_a_kind_in_a_while_and_none_of_gone_connections() {
        let lines = RecentLines::of_function();
        let failures = Failures::new("chat", lines.clone());
        let note = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            let failure = PushFailure::of_gateway(status, Some(status.as_u16()));
            failures.note("api-x", &failure.for_connection("a+b==".to_owned()));
        };
        [401, 401, 410, 429, 401].into_iter().for_each(note);
        let text = lines.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            text.starts_with("push of function chat to api-x failed with errNo 401: "),
            "{text}"
        );
        assert!(text.lines().all(|line| line.ends_with(" (connection a+b==)")), "{text}");
        assert_eq!(failures.turn(401), None);
        tokio::time::advance(INTERVAL).await;
        assert_eq!(failures.turn(401), Some(3));
        assert_eq!(failures.turn(401), None);
    }
}
