//! The HTTP client that calls functions.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use daemon::{peer::Peers, telemetry::LineTurns, tls::OutboundTls};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use reqwest::{Client, ClientBuilder, RequestBuilder, redirect::Policy};
use shared::invocation::{ATTEMPT_HEADER, REQUEST_ID_HEADER, TRACEPARENT_HEADER};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    Call, CallError, UnendedCall,
    batching::{Batchers, Batching},
    drain_notice,
    exchange::Exchange,
    failed::Subject,
    runner_answer::RunnerAnswer,
    runner_times::RunnerTimes,
};

/// How long a connection to a function may take. A call that gets none did not run.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than the 5 s after which common servers (Node's, uvicorn) close an idle connection. If
/// an event is sent while the server closes, nobody knows whether the function ran.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The pause between two lines that say the same of one function of an API.
const LINE_PAUSE: Duration = Duration::from_secs(1);

/// Calls functions. All clones share their pools of connections.
#[derive(Debug, Clone)]
pub(crate) struct FunctionClient {
    /// For the runner at an `http` address. What it sends has the token.
    runner_plain: Client,
    /// For other services at `http` addresses.
    plain: Client,
    /// For `https`. Made when the first function needs it.
    secure: Arc<OnceLock<Client>>,
    /// TLS of `https`, if it is not as usual.
    tls: Option<OutboundTls>,
    batchers: Batchers,
    runner: Arc<RunnerTimes>,
    line_turns: Arc<LineTurns<Subject>>,
}

impl FunctionClient {
    /// A client that can call `http` addresses. [`Self::prepare`] adds others. `runner` is the base
    /// URL of the runner, and `authorization` what it asks of its callers. A runner on this machine
    /// has to be of `peers`. Other services may be of any user, and get no token.
    pub(crate) fn new(
        runner: &Url,
        authorization: HeaderValue,
        peers: &Peers,
    ) -> Result<Self, reqwest::Error> {
        // Without root certificates, so that a machine that has none can make plain calls.
        let plain_builder = || builder().tls_certs_only([]);
        let plain = plain_builder().build()?;
        let runner_plain = plain_builder().connector_layer(peers.layer()).build()?;
        let runner = Arc::new(RunnerTimes::new(runner, authorization));
        Ok(Self {
            runner_plain,
            plain,
            secure: Arc::default(),
            tls: None,
            batchers: Batchers::default(),
            runner,
            line_turns: Arc::new(LineTurns::new(LINE_PAUSE)),
        })
    }

    /// Uses `tls` for `https`.
    pub(crate) fn with_tls(mut self, tls: Option<OutboundTls>) -> Self {
        self.tls = tls;
        self
    }

    pub(super) fn runner(&self) -> &RunnerTimes {
        &self.runner
    }

    pub(super) fn line_turns(&self) -> &LineTurns<Subject> {
        &self.line_turns
    }

    pub(super) async fn ask_runner(&self) -> RunnerAnswer {
        self.runner.ask(self.runner_client()).await
    }

    pub(super) async fn refresh_runner(&self) {
        self.runner.refresh(self.runner_client()).await;
    }

    /// Tells the runner that this gateway drains, until dropped, if a function at one of
    /// `addresses` is one of the runner's.
    pub(crate) async fn announce_drain(&self, addresses: &[Url]) -> Infallible {
        if !addresses.iter().any(|url| self.runner.url().name_of(url).is_some()) {
            return pending().await;
        }
        let http = self.runner_client();
        drain_notice::keep_open(http, self.runner.url()).await
    }

    /// Makes sure that functions at these addresses can be called.
    pub(crate) fn prepare(&self, addresses: &[Url]) -> Result<(), reqwest::Error> {
        if self.secure.get().is_none() && addresses.iter().any(|url| url.scheme() == "https") {
            let builder = match &self.tls {
                Some(tls) => builder().tls_backend_preconfigured(tls.configuration()),
                None => builder(),
            };
            let client = builder.build()?;
            self.secure.get_or_init(|| client);
        }
        Ok(())
    }

    /// Calls once. Returns the body of the response if its status says success: 200 is documented,
    /// and a web service may have another 2xx for an answer without a body.
    pub(crate) async fn call(&self, call: &Call, timeout: Duration) -> Result<Bytes, CallError> {
        let deadline = Instant::now() + timeout;
        let _permit = call.turn(deadline).await?;
        let began = Instant::now();
        let mut exchange = self.exchange(call);
        let unended = || UnendedCall::new(&call.url, began);
        match timeout_at(deadline, &mut exchange.answer).await {
            Ok(outcome) => outcome.map_err(|error| error.of_call(unended)),
            // The function goes on. The exchange ends here and its socket is closed, unless the
            // exchange is one of the few in batches that are kept.
            Err(_) => {
                Err(CallError::deadline().of_call(|| unended().with_late(exchange.into_late())))
            }
        }
    }

    fn exchange(&self, call: &Call) -> Exchange {
        let batching = self.batchers.of(&call.url, call.event.len());
        let lone = batching.as_ref().and_then(|it| it.batcher.alone());
        match batching {
            Some(Batching { batcher, late }) if lone.is_none() => {
                Exchange::in_batch(batcher, call.to_item(), late)
            }
            _ => Exchange::alone(self.clone(), call.url.clone(), self.request(call), lone),
        }
    }

    /// Notes whether the response of `url` offers to take batches.
    pub(super) fn learn(&self, url: &Url, headers: &HeaderMap) {
        let own = || self.runner.url().headers_to(url);
        self.batchers.learn(url, headers, self.client_of(url), own);
    }

    fn runner_client(&self) -> &Client {
        match self.runner.url().scheme() {
            "https" => self.secure.get().unwrap_or(&self.plain),
            _ => &self.runner_plain,
        }
    }

    fn client_of(&self, url: &Url) -> &Client {
        match url.scheme() {
            "https" => self.secure.get().unwrap_or(&self.plain),
            _ if self.runner.url().name_of(url).is_some() => &self.runner_plain,
            _ => &self.plain,
        }
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        let request = self
            .client_of(&call.url)
            .post(call.url.clone())
            .headers(self.runner.url().headers_to(&call.url))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(REQUEST_ID_HEADER, &*call.request_id)
            .body(call.event.clone());
        let request = match &call.traceparent {
            Some(traceparent) => request.header(TRACEPARENT_HEADER, traceparent),
            None => request,
        };
        match call.attempt {
            Some(attempt) => request.header(ATTEMPT_HEADER, attempt),
            None => request,
        }
    }
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("longhold-gateway/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .tcp_nodelay(true)
        // An event must reach the configured address and no other.
        .redirect(Policy::none())
        .no_proxy()
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use daemon::peer::Peers;
    use http::HeaderValue;
    use shared::{connection_id::ConnectionId, invocation::Disposition};
    use tokio::sync::Semaphore;
    use url::Url;

    use super::{
        super::{Call, EventName, Origin},
        FunctionClient,
    };

    #[tokio::test(start_paused = true)]
    async fn a_call_that_has_no_turn_in_time_did_not_run() {
        // Nothing is sent, so nothing has to be there.
        let nowhere = Url::parse("http://127.0.0.1:1/").unwrap();
        let functions = FunctionClient::new(
            &nowhere,
            HeaderValue::from_static("Bearer hunter2"),
            &Peers::default(),
        )
        .unwrap();
        let origin = Origin {
            event: EventName::Transmit,
            api_id: "a".into(),
            connection_id: ConnectionId::from_bytes([7; 19]),
        };
        let mut call = Call::new(&nowhere, origin, "{}");
        call.permits = Some(Arc::new(Semaphore::new(0)));
        let error = functions.call(&call, Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(error.disposition, Disposition::NotRun);
        assert!(error.unended.is_none() && !error.timed_out, "{error}");
        assert!(error.to_string().starts_with("transmit_concurrency"), "{error}");
    }
}
