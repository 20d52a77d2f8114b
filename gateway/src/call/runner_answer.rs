//! The answer of the runner to the question for its functions, `GET /functions`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use reqwest::Client;
use serde::Deserialize;
use tokio::time::Instant;

/// What a question has brought.
#[derive(Debug, Clone)]
pub(super) enum RunnerAnswer {
    /// The functions by name.
    Functions(Arc<HashMap<String, FunctionTimes>>),
    /// No connection could be made: the runner does not run.
    Unreachable,
    /// There was no answer that can be read.
    NoAnswer,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct FunctionTimes {
    pub(super) timeout: Duration,
    /// When all invocations have ended that had begun when the runner answered. None from a runner of
    /// a version that does not say it.
    pub(super) all_ended: Option<Instant>,
}

#[derive(Deserialize)]
struct Body {
    functions: Vec<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    timeout_ms: u64,
    ends_within_ms: Option<u64>,
}

impl RunnerAnswer {
    /// Asks at `address`.
    pub(super) async fn get(http: &Client, address: &str) -> Self {
        let response = match http.get(address).send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Self::Unreachable,
            Err(_) => return Self::NoAnswer,
        };
        let Ok(body) = response.bytes().await else { return Self::NoAnswer };
        let Ok(body) = serde_json::from_slice::<Body>(&body) else { return Self::NoAnswer };
        let now = Instant::now();
        let functions = body.functions.into_iter().map(|function| {
            let Function { name, timeout_ms, ends_within_ms } = function;
            let all_ended = ends_within_ms.map(|ms| now + Duration::from_millis(ms));
            (name, FunctionTimes { timeout: Duration::from_millis(timeout_ms), all_ended })
        });
        Self::Functions(Arc::new(functions.collect()))
    }
}
