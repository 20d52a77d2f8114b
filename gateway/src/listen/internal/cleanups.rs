//! Routes for operators: cleanups that were given up.
//!
//! `GET /cleanups` lists them, `POST /cleanups/<secConnectionID>/retry` tries one again,
//! `DELETE /cleanups/<secConnectionID>` forgets it. The shapes are in docs/operations.md.

use std::time::SystemTime;

use daemon::http::{Body, json, message, method_not_allowed};
use http::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use shared::connection_id::ConnectionId;
use url::form_urlencoded;

use super::Internal;
use crate::cleanup::{
    RetryError,
    journal::{Counts, DeadLetter, JournalFailed},
};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// The answer to `GET /cleanups`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    /// Not given up: of open connections, being delivered, waiting.
    owed: u64,
    /// Of those, how many wait in the journal: until they are due, because the queue is full, or
    /// for their API to come back.
    backlog: u64,
    /// Given up.
    given_up: u64,
    cleanups: Vec<GivenUp>,
    /// The `after` of the next page; absent from the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GivenUp {
    #[serde(rename = "secConnectionID")]
    connection_id: String,
    api: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    close_code: Option<String>,
    close_reason: &'static str,
    ended_at: String,
    given_up_at: String,
    attempts: u32,
    error: String,
}

impl Internal {
    /// Answers a request for the path of the cleanup `id`.
    pub(super) async fn cleanup(&self, method: &Method, id: &str) -> Response<Body> {
        match (method, parse_id(id)) {
            (&Method::DELETE, Some(id)) => self.forget(id).await,
            (&Method::DELETE, None) => bad_id(),
            (_, Some(_)) => method_not_allowed("DELETE"),
            (_, None) => nothing(),
        }
    }

    /// Lists a page of the cleanups that were given up.
    pub(super) async fn list_cleanups(&self, query: Option<&str>) -> Response<Body> {
        let (after, limit) = match page(query.unwrap_or_default()) {
            Ok(page) => page,
            Err(what) => return message(StatusCode::BAD_REQUEST, &what),
        };
        match self.cleanups.dead_letters(after, limit).await {
            Ok((counts, letters)) => json(StatusCode::OK, &List::new(counts, letters, limit)),
            Err(error) => unavailable(error),
        }
    }

    /// Tries to deliver the cleanup `id` again.
    pub(super) async fn retry_cleanup(&self, id: &str) -> Response<Body> {
        let Some(id) = parse_id(id) else { return bad_id() };
        match self.cleanups.retry(id, &self.apis).await {
            Ok(()) => message(StatusCode::OK, "delivered"),
            Err(error) => message(status(&error), &error.to_string()),
        }
    }

    async fn forget(&self, id: ConnectionId) -> Response<Body> {
        match self.cleanups.forget(id).await {
            Ok(true) => message(StatusCode::OK, "forgotten"),
            Ok(false) => message(status(&RetryError::NotFound), &RetryError::NotFound.to_string()),
            Err(error) => unavailable(error),
        }
    }
}

impl List {
    fn new(counts: Counts, letters: Vec<DeadLetter>, limit: usize) -> Self {
        let is_full = letters.len() == limit;
        let last = letters.last().filter(|_| is_full).map(|letter| letter.id.to_string());
        Self {
            owed: counts.owed,
            backlog: counts.backlog,
            given_up: counts.dead_letters,
            cleanups: letters.into_iter().map(GivenUp::from).collect(),
            next: last,
        }
    }
}

impl From<DeadLetter> for GivenUp {
    fn from(letter: DeadLetter) -> Self {
        let DeadLetter { id, api, progress, error, given_up_at, .. } = letter;
        Self {
            connection_id: id.to_string(),
            api,
            close_code: progress.end.code.map(|code| u16::from(code).to_string()),
            close_reason: progress.end.reason.as_str(),
            ended_at: time(progress.ended_at),
            given_up_at: time(given_up_at),
            attempts: progress.attempts,
            error,
        }
    }
}

/// RFC 3339, to the millisecond.
fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

fn status(error: &RetryError) -> StatusCode {
    match error {
        RetryError::NotFound => StatusCode::NOT_FOUND,
        RetryError::NoFunction(_) => StatusCode::CONFLICT,
        RetryError::Failed(_) => StatusCode::BAD_GATEWAY,
        RetryError::Busy | RetryError::Draining | RetryError::Journal(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

fn unavailable(error: JournalFailed) -> Response<Body> {
    message(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}

/// The answer to a path below `/cleanups/` that has no route.
pub(super) fn nothing() -> Response<Body> {
    message(StatusCode::NOT_FOUND, "nothing here: POST to /cleanups/<secConnectionID>/retry")
}

fn bad_id() -> Response<Body> {
    message(StatusCode::BAD_REQUEST, "a secConnectionID is 28 characters of padded URL-safe base64")
}

/// The padding of an id may come as `%3D`.
fn parse_id(text: &str) -> Option<ConnectionId> {
    percent_decode_str(text).decode_utf8().ok()?.parse().ok()
}

fn page(query: &str) -> Result<(Option<ConnectionId>, usize), String> {
    let (mut after, mut limit) = (None, LIMIT_DEFAULT);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*key {
            "after" => {
                after = Some(value.parse().map_err(|_| "after has to be a secConnectionID")?);
            }
            "limit" => {
                limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=LIMIT_MAX).contains(limit))
                    .ok_or_else(|| format!("limit has to be 1 to {LIMIT_MAX}"))?;
            }
            _ => return Err("only limit and after can be asked for".to_owned()),
        }
    }
    Ok((after, limit))
}
