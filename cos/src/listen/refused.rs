//! The answer to a request that is refused, and its line in the log.

use std::{error::Error, net::SocketAddr, time::Duration};

use daemon::{
    http::{Body, full},
    telemetry::LineTurns,
};
use http::{HeaderValue, Response, header};
use tokio::time::Instant;
use tracing::{debug, error, warn};

use crate::{
    refusal::{Code, Refusal},
    xml,
};

/// The pause between two lines about requests with the same code. Clients could fill the log.
const LINE_PAUSE: Duration = Duration::from_secs(10);

pub(super) const XML: HeaderValue = HeaderValue::from_static("application/xml");

/// Logs what is refused.
#[derive(Debug)]
pub(super) struct Refusals {
    lines: LineTurns<Code>,
}

/// What is said of a refused request, and nothing that a client keeps secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'r> {
    pub(super) peer: SocketAddr,
    pub(super) id: &'r str,
    pub(super) bucket: &'r str,
    pub(super) operation: &'r str,
    /// The path of the request.
    pub(super) resource: &'r str,
}

impl Refusals {
    pub(super) fn new() -> Self {
        Self { lines: LineTurns::new(LINE_PAUSE) }
    }

    /// The answer. It is logged: now and then one with each code as a warning, which says how many
    /// were left out.
    pub(super) fn answer(&self, about: About<'_>, refusal: &Refusal) -> Response<Body> {
        self.log(about, refusal);
        let code = refusal.code.as_str();
        let text = xml::error(code, &refusal.message, about.resource, about.id);
        let mut response = Response::new(full(text));
        *response.status_mut() = refusal.code.status();
        response.headers_mut().insert(header::CONTENT_TYPE, XML);
        if refusal.code == Code::SlowDown {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn log(&self, about: About<'_>, refusal: &Refusal) {
        let About { peer, id, bucket, operation, .. } = about;
        let (code, message) = (refusal.code.as_str(), &refusal.message);
        let turn = self.lines.turn(&refusal.code, Instant::now());
        if let Some((source, left_out)) = refusal.source.as_ref().zip(turn) {
            let error = chain(source.as_ref());
            error!(
                client.address = %peer, request.id = id, bucket.name = bucket, code, error, left_out,
                "{operation} failed"
            );
            return;
        }
        match turn.filter(|_| !refusal.code.is_everyday()) {
            Some(left_out) => warn!(
                client.address = %peer, request.id = id, bucket.name = bucket, code, left_out,
                "{operation} refused: {message}"
            ),
            None => debug!(
                client.address = %peer, request.id = id, bucket.name = bucket, code,
                "{operation} refused: {message}"
            ),
        }
    }
}

/// An error with its causes.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
