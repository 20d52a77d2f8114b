//! The answer of the runner to the question for its functions, `GET /functions`.

use std::{collections::HashMap, error::Error, io, iter, sync::Arc, time::Duration};

use bytes::BytesMut;
use http::{HeaderMap, StatusCode};
use reqwest::{Client, Response};
use serde::Deserialize;
use tokio::time::Instant;

/// The longest answer. Ten thousand functions need less, and another server may be at the address.
const BYTES_MAX: usize = 4 << 20;

/// What a question has brought.
#[derive(Debug, Clone)]
pub(super) enum RunnerAnswer {
    /// The functions by name.
    Functions(Arc<HashMap<String, FunctionTimes>>),
    /// The connection was refused: nothing listens at the address, so the runner does not run.
    Unreachable,
    /// There was no answer that can be read. Nothing is known of the runner.
    NoAnswer,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct FunctionTimes {
    pub(super) timeout: Duration,
    /// When all invocations have ended that had begun when the runner answered. None from a runner
    /// of a version that does not say it.
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
    pub(super) async fn get(http: &Client, address: &str, headers: &HeaderMap) -> Self {
        let response = match http.get(address).headers(headers.clone()).send().await {
            Ok(response) => response,
            Err(error) if is_refused(&error) => return Self::Unreachable,
            Err(_) => return Self::NoAnswer,
        };
        let Some(body) = body(response).await else { return Self::NoAnswer };
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

/// The body of an answer that may be one of the runner.
async fn body(mut response: Response) -> Option<BytesMut> {
    let mut body = BytesMut::new();
    if response.status() != StatusCode::OK {
        return None;
    }
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > BYTES_MAX {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// Whether the machine at the address has refused the connection. Other errors of a connection that
/// could not be made say something of this process or of the way: it has no descriptor left, the
/// name was not found, TLS failed.
fn is_refused(error: &reqwest::Error) -> bool {
    iter::successors(error.source(), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn only_a_refused_connection_shows_that_the_runner_does_not_run() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, none) = (listener.local_addr().unwrap(), HeaderMap::new());
        let http = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let accepted = async {
            let (stream, _) = listener.accept().await.unwrap();
            drop(stream);
        };
        // The connection is made, and TLS fails.
        let secure = format!("https://{address}/functions");
        let (answer, ()) = tokio::join!(RunnerAnswer::get(&http, &secure, &none), accepted);
        assert!(matches!(answer, RunnerAnswer::NoAnswer), "{answer:?}");
        // The address of a network, to which no connection can be made.
        let answer = RunnerAnswer::get(&http, "http://255.255.255.255:9/functions", &none).await;
        assert!(matches!(answer, RunnerAnswer::NoAnswer), "{answer:?}");
        drop(listener);
        let answer = RunnerAnswer::get(&http, &format!("http://{address}/functions"), &none).await;
        assert!(matches!(answer, RunnerAnswer::Unreachable), "{answer:?}");
    }
}
