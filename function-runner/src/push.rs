//! Pushes of child processes: they are passed on to the gateway, for their function.
//!
//! Knows no processes: the runtime decides who may push for a function. The gateway decides what
//! the function may push to.

mod answer;
mod batch;
mod begin;
mod body;
mod failures;
mod headers;
mod long_answer;

use std::{sync::Arc, time::Duration};

use daemon::http::Body;
use functions::{PushCredential, PushTransport};
use http::{HeaderMap, Response, StatusCode};
use reqwest::Client;
use url::Url;

use self::{answer::Answered, failures::Failures};
pub(crate) use self::{
    answer::refused,
    begin::Begin,
    body::{BodyEnd, PushBody},
    failures::PushFailure,
    headers::PushHeaders,
};
use crate::{invocation::RecentLines, settings::FunctionSettings};

/// How long a push may take, from its head to the end of its answer.
pub(crate) const PUSH_TIMEOUT: Duration = Duration::from_secs(300);
/// How long it may take to connect to the gateway.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Passes the pushes of one function on. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Pushes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    gateway: Option<Gateway>,
    /// What each push has beside its own headers: the token of the runner, and for which function
    /// it is.
    headers: HeaderMap,
    failures: Failures,
}

#[derive(Debug)]
struct Gateway {
    http: Client,
    url: Url,
}

impl Pushes {
    /// Those of `function`, whose log has `lines`. They present `credential` to the gateway, and
    /// reach it over `transport`. Connects to nothing.
    pub(crate) fn new(
        function: &FunctionSettings,
        credential: &PushCredential,
        transport: &PushTransport,
        lines: RecentLines,
    ) -> Result<Self, reqwest::Error> {
        let gateway = function.push.gateway.clone().map(|url| {
            let http = transport.client(&url);
            let http = http.connect_timeout(CONNECT_TIMEOUT).timeout(PUSH_TIMEOUT).build()?;
            Ok(Gateway { http, url })
        });
        let headers = credential.headers().clone();
        let failures = Failures::new(&function.name, lines);
        Ok(Self(Arc::new(Inner { gateway: gateway.transpose()?, headers, failures })))
    }

    /// Passes a push to `api` on, and returns the answer of the gateway. `begin` is that of `body`.
    pub(crate) async fn pass_on(
        &self,
        api: &str,
        headers: PushHeaders,
        body: PushBody,
        begin: &Begin,
    ) -> Response<Body> {
        let Some(Gateway { http, url }) = &self.0.gateway else {
            let what = "not delivered: the function-runner has no address of a gateway; set \
                        variables.push in its settings";
            return self.failed(api, PushFailure::of_runner(StatusCode::BAD_GATEWAY, what), begin);
        };
        let headers = headers.beside(self.0.headers.clone());
        let request = http.post(at(url, api)).headers(headers).body(reqwest::Body::wrap(body));
        match Answered::read(request.send().await).await {
            Ok(Answered::One(response, failures)) => {
                for failure in failures {
                    self.0.failures.note(api, &failure.of(begin));
                }
                response
            }
            Ok(Answered::Long(response)) => {
                response.map(|answer| long_answer::reading(answer, self.noting(api)))
            }
            Ok(Answered::Batch(response)) => {
                response.map(|answer| batch::reading(answer, self.noting(api)))
            }
            Err(failure) => self.failed(api, failure, begin),
        }
    }

    /// Logs pushes to `api` that have failed, while an answer is passed back.
    fn noting(&self, api: &str) -> impl FnMut(&PushFailure) + Send + 'static + use<> {
        let (pushes, api) = (self.clone(), api.to_owned());
        move |failure| pushes.0.failures.note(&api, failure)
    }

    /// Logs that a push to `api` with this beginning has failed in the runner. Returns its answer.
    pub(crate) fn failed(&self, api: &str, failure: PushFailure, begin: &Begin) -> Response<Body> {
        let failure = failure.of(begin);
        self.0.failures.note(api, &failure);
        refused(failure.status, &failure.what)
    }
}

/// The address of pushes to `api` at the gateway `base`.
fn at(base: &Url, api: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{api}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::at;

    #[test]
    fn the_id_of_an_api_comes_behind_the_address_of_the_gateway() {
        for (base, expected) in [
            ("http://127.0.0.1:9001", "http://127.0.0.1:9001/api-x"),
            ("http://gateway:9001/", "http://gateway:9001/api-x"),
            ("https://me:secret@host/in/ner/", "https://me:secret@host/in/ner/api-x"),
        ] {
            assert_eq!(at(&base.parse().unwrap(), "api-x").as_str(), expected);
        }
    }
}
