//! Sends reverse pushes to the gateway, at the address in the environment key `url`, with the
//! credential that the runner has given to the function.
//!
//! A push without an answer is an error and is not repeated: the message may have reached its
//! client, and a second push would deliver it twice.

use std::{error::Error, time::Duration};

use batch::{Batcher, Item, NoAnswer};
use bytes::Bytes;
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use shared::{
    invocation::TRACEPARENT_HEADER,
    push::{Push, PushAnswer, PushError},
};
use url::Url;

use crate::{
    environment::Environment,
    function::{Context, FunctionError},
    start_error::StartError,
};

/// The environment key with the address.
const URL_KEY: &str = "url";
/// The longest wait for an answer. The timeout of an invocation is usually shorter.
const PUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends the pushes of one function.
///
/// Each function has a connection pool of its own. A shared pool would save a few idle
/// connections, but each connection runs on the Tokio runtime that opened it and ends with that
/// runtime, so all functions would depend on it.
#[derive(Debug)]
pub struct PushClient {
    http: reqwest::Client,
    /// Used if the gateway has offered to take batches.
    batcher: Batcher,
    url: Url,
    /// The address without secrets, for errors.
    name: String,
}

/// What HTTP 403 of a gateway without the documented JSON means, and what would be right.
pub const FORBIDDEN: &str = "the gateway wants a client certificate that its internal_tls.client_ca has signed (cert and key \
     of [outbound_tls]), or it does not have the host that was pushed to (that of variables.push) in \
     listen.internal_hosts";

/// A push was not carried out, or it is not known whether it was. `url` has no secrets.
#[derive(Debug, thiserror::Error)]
pub enum PushFailed {
    /// Nothing came back. The push may have been carried out.
    #[error("push to {url} got no answer")]
    NoAnswer {
        /// Where the push went.
        url: String,
        /// What happened.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer is not that of a gateway.
    #[error("push to {url} was answered with HTTP {status}, but not with the documented JSON")]
    Unreadable {
        /// Where the push went.
        url: String,
        /// The status of the answer.
        status: StatusCode,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
    /// The gateway does not serve this client.
    #[error("push to {url} was refused with HTTP 403: {FORBIDDEN}")]
    Forbidden {
        /// Where the push went.
        url: String,
    },
    /// The gateway did not carry the push out.
    #[error("push to {url} was refused with HTTP {status}: errNo {err_no}, {err_msg}")]
    Refused {
        /// Where the push went.
        url: String,
        /// The status of the answer.
        status: StatusCode,
        /// The `errNo` of the answer.
        err_no: u16,
        /// The `errMsg` of the answer.
        err_msg: String,
    },
}

impl PushClient {
    /// The client of a function with this environment. Connects to nothing.
    pub fn start(environment: &Environment) -> Result<Self, StartError> {
        let url = Self::check(environment)?;
        let http = environment
            .push_transport()
            .client(&url)
            .default_headers(environment.push_credential().headers_for(&url))
            .timeout(PUSH_TIMEOUT);
        let http = http.build().map_err(|error| {
            StartError::new(URL_KEY, "needs an HTTP client, which cannot be set up").because(error)
        })?;
        let batcher = Batcher::new(http.clone(), url.clone(), PUSH_TIMEOUT);
        Ok(Self { http, batcher, name: name_of(&url), url })
    }

    /// Reads and checks the address. Builds no client.
    pub fn check(environment: &Environment) -> Result<Url, StartError> {
        const RIGHT: &str = "http://127.0.0.1:9001/api-chat would be right";
        let url = Url::parse(environment.require(URL_KEY)?).map_err(|error| {
            StartError::new(URL_KEY, format!("is not a URL: {RIGHT}")).because(error)
        })?;
        match url.scheme() {
            "http" | "https" => Ok(url),
            scheme => {
                let problem = format!("has the scheme {scheme}, not http or https: {RIGHT}");
                Err(StartError::new(URL_KEY, problem))
            }
        }
    }

    /// Sends `push` and returns the gateway's answer. An answer with an `errNo` other than 0 and
    /// 410 (connection is gone) is an error.
    pub async fn push(&self, push: &Push, context: &Context) -> Result<PushAnswer, PushFailed> {
        let (status, body) = self
            .send(push, context)
            .await
            .map_err(|source| PushFailed::NoAnswer { url: self.name.clone(), source })?;
        let answer: PushAnswer = serde_json::from_slice(&body).map_err(|source| {
            let url = self.name.clone();
            match status {
                StatusCode::FORBIDDEN => PushFailed::Forbidden { url },
                status => PushFailed::Unreadable { url, status, source },
            }
        })?;
        tracing::debug!(
            http.response.status_code = status.as_u16(),
            answer.err_no,
            "push answered"
        );
        if answer.err_no != 0 && !is_gone(answer.err_no) {
            let PushAnswer { err_no, err_msg, .. } = answer;
            return Err(PushFailed::Refused { url: self.name.clone(), status, err_no, err_msg });
        }
        Ok(answer)
    }

    async fn send(
        &self,
        push: &Push,
        context: &Context,
    ) -> Result<(StatusCode, Bytes), Box<dyn Error + Send + Sync>> {
        let body = Bytes::from(push.to_body());
        let takes_batches = self.batcher.takes(body.len());
        let lone_exchange = if takes_batches { self.batcher.alone() } else { None };
        if takes_batches && lone_exchange.is_none() {
            let item = Item {
                id: context.request_id.as_str().into(),
                traceparent: context.traceparent.as_deref().map(Into::into),
                body: body.clone(),
            };
            match self.batcher.exchange_within(PUSH_TIMEOUT, item).await {
                Ok(answer) => return Ok((StatusCode::from_u16(answer.status)?, answer.body)),
                // The gateway at this address takes no batches: it was replaced. None of the
                // batch's pushes was carried out.
                Err(NoAnswer::Refused(status)) if status.is_client_error() => {}
                Err(NoAnswer::NotOffered | NoAnswer::Foreign) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.send_alone(body, context).await.map_err(|error| error.without_url().into())
    }

    async fn send_alone(
        &self,
        body: Bytes,
        context: &Context,
    ) -> Result<(StatusCode, Bytes), reqwest::Error> {
        let mut request =
            self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(traceparent) = traceparent(context) {
            request = request.header(TRACEPARENT_HEADER, traceparent);
        }
        let response = request.send().await?;
        self.batcher.learn(response.headers());
        Ok((response.status(), response.bytes().await?))
    }
}

/// Whether `err_no` says that the connection is gone.
pub(crate) fn is_gone(err_no: u16) -> bool {
    err_no == PushError::Gone.err_no()
}

/// The trace context as a header value. None if it has characters that no header may have: the
/// push is sent without it then.
fn traceparent(context: &Context) -> Option<HeaderValue> {
    HeaderValue::from_str(context.traceparent.as_deref()?).ok()
}

/// The address without user name, password, query and fragment, which may be secret.
fn name_of(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs without a host, and http URLs always have a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

impl From<PushFailed> for FunctionError {
    fn from(error: PushFailed) -> Self {
        Self::raised(error)
    }
}

#[cfg(test)]
mod tests;
