//! The answer to a push: that of the gateway as it is, or one of the runner in the same form.

use std::{error::Error, iter};

use batch::{OFFER, server::is_batch};
use daemon::http::{Body, full, json};
use functions::FORBIDDEN;
use http::{HeaderMap, HeaderName, Response, StatusCode, header};
use http_body_util::BodyExt;
use shared::push::PushAnswer;

use super::{body::BrokeOff, failures::PushFailure};

/// The headers of the gateway's answer that reach the function.
const PASSED_BACK: [HeaderName; 5] =
    [header::CONTENT_TYPE, header::ALLOW, header::RETRY_AFTER, header::ACCEPT_ENCODING, OFFER];

/// Longer answers are passed back as they come. Only those to many have such a length: they name
/// the connections that did not get the push.
pub(super) const SHORT_BYTES: usize = 16 << 10;

/// The answer of the gateway.
pub(super) enum Answered {
    /// To one push, and why it was not carried out, for the connections that did not get it.
    One(Response<Body>, Vec<PushFailure>),
    /// To one push to many, as it comes.
    Long(Response<Body>),
    /// To a batch, as it comes.
    Batch(Response<Body>),
}

impl Answered {
    /// Reads the answer. The error is that there is none.
    pub(super) async fn read(
        sent: Result<reqwest::Response, reqwest::Error>,
    ) -> Result<Self, PushFailure> {
        let answer = sent.map_err(|error| no_answer(&error))?;
        let (status, headers) = (answer.status(), kept(answer.headers()));
        let respond = |body| {
            let mut response = Response::new(body);
            (*response.status_mut(), *response.headers_mut()) = (status, headers);
            response
        };
        if status == StatusCode::OK && is_batch(answer.headers()) {
            return Ok(Self::Batch(respond(as_it_comes(answer))));
        }
        let is_short = answer.content_length().is_some_and(|bytes| bytes <= SHORT_BYTES as u64);
        if !is_short && status == StatusCode::OK {
            return Ok(Self::Long(respond(as_it_comes(answer))));
        }
        let (body, failures) = if is_short {
            let bytes = answer.bytes().await.map_err(|error| no_answer(&error))?;
            let failures = failures_in(status, &bytes);
            (full(bytes), failures)
        } else {
            (as_it_comes(answer), failures_in(status, &[]))
        };
        Ok(Self::One(respond(body), failures))
    }
}

/// Why a push was not carried out that the gateway has answered so, if it was not. One to many may
/// have failed for each of some connections.
pub(super) fn failures_in(status: StatusCode, answer: &[u8]) -> Vec<PushFailure> {
    let answer = serde_json::from_slice::<PushAnswer>(answer).ok();
    let err_no = answer.as_ref().map(|answer| answer.err_no);
    if status != StatusCode::OK || err_no.is_some_and(|err_no| err_no != 0) {
        return vec![PushFailure::of_gateway(status, err_no)];
    }
    let failed = answer.into_iter().flat_map(|answer| answer.failed);
    let failures = failed.map(|failed| {
        PushFailure::of_gateway(status, Some(failed.err_no)).for_connection(failed.connection_id)
    });
    failures.collect()
}

fn as_it_comes(answer: reqwest::Response) -> Body {
    let body = Response::<reqwest::Body>::from(answer).into_body();
    body.map_err(|error| -> Box<dyn Error + Send + Sync> { Box::new(error) }).boxed_unsync()
}

fn kept(headers: &HeaderMap) -> HeaderMap {
    let known = PASSED_BACK.into_iter().filter_map(|name| {
        let value = headers.get(&name)?.clone();
        Some((name, value))
    });
    known.collect()
}

/// An answer of the runner. Always JSON, because callers read every answer as such.
pub(crate) fn refused(status: StatusCode, what: &str) -> Response<Body> {
    let (err_no, err_msg) = (status.as_u16(), what.to_owned());
    json(status, &PushAnswer { err_no, err_msg, failed: Vec::new() })
}

/// The gateway has not answered. The error does not show its address, which may have a password.
fn no_answer(error: &reqwest::Error) -> PushFailure {
    let causes = || iter::successors(error.source(), |&error| error.source());
    if causes().any(|cause| cause.is::<BrokeOff>()) {
        return PushFailure::of_runner(StatusCode::BAD_REQUEST, "not delivered: it broke off");
    }
    // The outermost error names the address, and the last one is the first that happened.
    let cause = causes().last().map_or_else(|| "no cause is known".to_owned(), ToString::to_string);
    if error.is_connect() {
        let what = "not delivered: the function-runner cannot reach the gateway";
        return PushFailure::of_runner(StatusCode::BAD_GATEWAY, what).because(cause);
    }
    let what = if error.is_timeout() {
        "unknown whether delivered: the gateway did not answer in time"
    } else {
        "unknown whether delivered: the connection to the gateway broke off"
    };
    PushFailure::of_runner(StatusCode::GATEWAY_TIMEOUT, what).because(cause)
}

/// What an `errNo` of the gateway means, for a log. Its text is not told: it may quote what a
/// function has sent.
pub(super) fn meaning(status: StatusCode, err_no: Option<u16>) -> &'static str {
    if err_no == Some(401) || status == StatusCode::UNAUTHORIZED {
        return "the gateway does not let the function push to this API; have the API name the \
                function, or name the API in push_to of the function";
    }
    if status == StatusCode::FORBIDDEN {
        return FORBIDDEN;
    }
    match err_no {
        Some(400) => "the gateway cannot read it",
        Some(404) => "there is no API with this id",
        Some(410) => "the connection is gone",
        Some(413) => "it is too large",
        Some(415) => "its Content-Encoding is not known",
        Some(422) => "its action, dataType or data is not valid",
        Some(429) => "the client reads too slowly, or there are too many pushes at once",
        Some(503) => "the gateway is shutting down",
        _ => "the gateway did not carry it out",
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::meaning;

    #[test]
    fn each_number_of_the_gateway_has_its_meaning() {
        let unknown = meaning(StatusCode::OK, Some(1));
        for err_no in [400, 401, 404, 410, 413, 415, 422, 429, 503] {
            assert_ne!(meaning(StatusCode::OK, Some(err_no)), unknown, "{err_no}");
        }
        assert!(meaning(StatusCode::FORBIDDEN, None).contains("outbound_tls"));
        assert!(meaning(StatusCode::UNAUTHORIZED, None).contains("push_to"));
    }
}
