//! Sends reverse pushes to the gateway, at the address in the environment key `url`.
//!
//! It tells an answer from no answer, and does not push again by itself: a push that was lost on
//! the way back would reach its client twice.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};
use shared::{
    invocation::TRACEPARENT_HEADER,
    push::{Push, PushAnswer, PushError},
};
use url::Url;

use crate::{
    environment::Environment,
    function::{Context, FunctionError, StartError},
};

/// The environment key with the address.
const URL_KEY: &str = "url";
/// The longest wait for an answer. Invocations usually have to end sooner.
const PUSH_TIMEOUT: Duration = Duration::from_secs(10);
/// Below the half minute after which common servers hang up on an idle connection, so that a push
/// is not sent on one that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// A function's way to the gateway.
///
/// Each function has a pool of its own. One for the process would save a few idle connections,
/// but tie all functions to the runtime that drives the connections of the first.
pub(crate) struct PushClient {
    http: reqwest::Client,
    url: Url,
    /// The address as errors name it.
    name: String,
}

/// A push was not carried out, as far as anybody knows here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushFailed {
    #[error("push to {url} got no answer")]
    NoAnswer { url: String, source: reqwest::Error },
    #[error("push to {url} was answered with HTTP {status}, but not with the documented JSON")]
    Unreadable { url: String, status: StatusCode, source: serde_json::Error },
    #[error("push to {url} was refused with HTTP {status}: errNo {err_no}, {err_msg}")]
    Refused { url: String, status: StatusCode, err_no: u16, err_msg: String },
}

impl PushClient {
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let url = Self::check(environment)?;
        let mut http = reqwest::Client::builder()
            .timeout(PUSH_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy();
        if url.scheme() == "http" {
            // Else a machine without root certificates could not even push in clear.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|error| {
            StartError::new(URL_KEY, "needs an HTTP client, which cannot be set up").because(error)
        })?;
        Ok(Self { http, name: name_of(&url), url })
    }

    /// Reads the address, and builds nothing.
    pub(crate) fn check(environment: &Environment) -> Result<Url, StartError> {
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

    /// Sends `push` and returns the answer of the gateway, if that says that the push was carried
    /// out or that the connection is gone.
    pub(crate) async fn push(
        &self,
        push: &Push,
        context: &Context,
    ) -> Result<PushAnswer, PushFailed> {
        let (status, body) = self.send(push, context).await.map_err(|error| {
            PushFailed::NoAnswer { url: self.name.clone(), source: error.without_url() }
        })?;
        let answer: PushAnswer = serde_json::from_slice(&body)
            .map_err(|source| PushFailed::Unreadable { url: self.name.clone(), status, source })?;
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
    ) -> Result<(StatusCode, Vec<u8>), reqwest::Error> {
        let mut request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(push.to_body());
        if let Some(traceparent) = traceparent(context) {
            request = request.header(TRACEPARENT_HEADER, traceparent);
        }
        let response = request.send().await?;
        Ok((response.status(), response.bytes().await?.into()))
    }
}

/// Whether `err_no` says that the connection is no more.
pub(crate) fn is_gone(err_no: u16) -> bool {
    err_no == PushError::Gone.err_no()
}

/// A trace context that no header can hold is not worth a failed push.
fn traceparent(context: &Context) -> Option<HeaderValue> {
    HeaderValue::from_str(context.traceparent.as_deref()?).ok()
}

/// The address without what may be secret in it.
fn name_of(url: &Url) -> String {
    let mut url = url.clone();
    // Both only fail on URLs that have no host, and those of http always have one.
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
