//! One HTTP call of a function.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, OnceLock, RwLock},
    time::Duration,
};

use batch::{Batcher, Item, OFFER};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use reqwest::{Client, ClientBuilder, RequestBuilder, redirect::Policy};
use shared::invocation::{ATTEMPT_HEADER, REQUEST_ID_HEADER, TRACEPARENT_HEADER};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use url::Url;
use uuid::Uuid;

use super::{
    CallError, LateAnswer, UnendedCall,
    runner::{Runner, Word},
};

/// How long a connection to a function may take. A call that gets none did not run.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than the 5 s after which common servers (Node's, uvicorn) close an idle connection. If an
/// event is sent while the server closes, nobody knows whether the function ran.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Longer than any call that somebody waits for.
const BATCH_TIMEOUT: Duration = Duration::from_secs(1000);
/// Exchanges of one address that are kept after their deadline, because an answer may still come.
/// Each may keep the socket of a batch open.
const LATE_MAX: usize = 16;
/// What a function may return (documented).
const REPLY_BYTES_MAX: usize = 6 << 20;

/// Calls functions. All clones share their pools of connections.
#[derive(Debug, Clone)]
pub(crate) struct FunctionClient {
    /// For `http`. Has no root certificates, so that a machine without any can make plain calls.
    plain: Client,
    /// For `https`. Made when the first function needs it.
    secure: Arc<OnceLock<Client>>,
    /// For the addresses that offer to take batches.
    batchers: Arc<RwLock<HashMap<Url, Batching>>>,
    runner: Arc<Runner>,
}

/// An address that offers to take batches.
#[derive(Debug)]
struct Batching {
    batcher: Batcher,
    /// One permit for each exchange that is kept for an answer that may come late.
    late: Arc<Semaphore>,
}

/// A call of a function: its address and its event.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The address of the function.
    pub(crate) url: Url,
    /// The event.
    pub(crate) event: Bytes,
    /// Names the invocation. All attempts of one call have the same id in logs.
    pub(crate) request_id: Arc<str>,
    /// The W3C Trace Context of the client's handshake, for the call that the handshake causes.
    pub(crate) traceparent: Option<HeaderValue>,
    /// The number of this attempt, if the function is to know it.
    pub(crate) attempt: Option<u32>,
}

impl Call {
    /// A call that no handshake waits for.
    pub(crate) fn new(url: &Url, event: impl Into<Bytes>) -> Self {
        let request_id = Uuid::new_v4().to_string().into();
        Self { url: url.clone(), event: event.into(), request_id, traceparent: None, attempt: None }
    }
}

impl Call {
    /// The call as an item of a batch. The runner does not use the number of the attempt.
    fn to_item(&self) -> Item {
        let traceparent = self.traceparent.as_ref().and_then(|value| value.to_str().ok());
        Item {
            id: (*self.request_id).into(),
            traceparent: traceparent.map(Into::into),
            body: self.event.clone(),
        }
    }
}

impl FunctionClient {
    /// A client that can call `http` addresses. [`Self::prepare`] adds others. `runner` is the base
    /// URL of the runner.
    pub(crate) fn new(runner: &Url) -> Result<Self, reqwest::Error> {
        let plain = builder().tls_certs_only([]).build()?;
        let runner = Arc::new(Runner::new(runner));
        Ok(Self { plain, secure: Arc::default(), batchers: Arc::default(), runner })
    }

    pub(super) fn runner(&self) -> &Runner {
        &self.runner
    }

    pub(super) async fn ask_runner(&self) -> Word {
        self.runner.ask(self.client_of(self.runner.scheme())).await
    }

    /// Makes sure that functions at these addresses can be called.
    pub(crate) fn prepare(&self, addresses: &[Url]) -> Result<(), reqwest::Error> {
        if self.secure.get().is_none() && addresses.iter().any(|url| url.scheme() == "https") {
            let client = builder().build()?;
            self.secure.get_or_init(|| client);
        }
        Ok(())
    }

    /// Calls once. Returns the body of the response if its status is 200, which alone means success
    /// (documented).
    pub(crate) async fn call(&self, call: &Call, timeout: Duration) -> Result<Bytes, CallError> {
        let began = Instant::now();
        let Exchange { mut answer, late } = self.exchange(call);
        let unended = || UnendedCall::new(&call.url, began);
        match tokio::time::timeout(timeout, &mut answer).await {
            Ok(outcome) => outcome.map_err(|error| error.of_call(unended)),
            // The function goes on. The exchange ends here and its socket is closed, unless the
            // exchange is one of the few in batches that are kept.
            Err(_) => {
                let permit = late.and_then(|permits| permits.try_acquire_owned().ok());
                let late = permit.map(|permit| LateAnswer::overdue(word(answer, permit)));
                Err(CallError::deadline().of_call(|| unended().with_late(late)))
            }
        }
    }

    fn exchange(&self, call: &Call) -> Exchange {
        let batchers = self.batchers.read().expect("nothing panics with the lock held");
        let batching = batchers.get(&call.url);
        let batching = batching.filter(|it| it.batcher.takes(call.event.len()));
        let place = batching.and_then(|it| it.batcher.alone());
        match batching {
            Some(Batching { batcher, late }) if place.is_none() => {
                let answer = in_batch(batcher.clone(), call.to_item());
                Exchange { answer: Box::pin(answer), late: Some(Arc::clone(late)) }
            }
            _ => {
                let exchange = alone(self.clone(), call.url.clone(), self.request(call));
                let answer = async move {
                    let _place = place;
                    exchange.await
                };
                Exchange { answer: Box::pin(answer), late: None }
            }
        }
    }

    /// Notes whether the response of `url` offers to take batches.
    fn learn(&self, url: &Url, headers: &HeaderMap) {
        if !headers.contains_key(OFFER) {
            return;
        }
        let known = self.batchers.read().expect("nothing panics with the lock held");
        if let Some(batching) = known.get(url) {
            return batching.batcher.learn(headers);
        }
        drop(known);
        let mut batchers = self.batchers.write().expect("nothing panics with the lock held");
        let new = || Batching {
            batcher: Batcher::new(self.client(url).clone(), url.clone(), BATCH_TIMEOUT),
            late: Arc::new(Semaphore::new(LATE_MAX)),
        };
        batchers.entry(url.clone()).or_insert_with(new).batcher.learn(headers);
    }

    fn client(&self, url: &Url) -> &Client {
        self.client_of(url.scheme())
    }

    fn client_of(&self, scheme: &str) -> &Client {
        match scheme {
            "https" => self.secure.get().unwrap_or(&self.plain),
            _ => &self.plain,
        }
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        let request = self
            .client(&call.url)
            .post(call.url.clone())
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

/// An answer that has not come yet.
struct Exchange {
    answer: Answer,
    /// Where a permit must be taken to keep the exchange after its deadline. None if it must not be
    /// kept.
    late: Option<Arc<Semaphore>>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Bytes, CallError>> + Send>>;

/// Waits for an answer after its deadline. Returns whether the function has ended.
async fn word(answer: Answer, permit: OwnedSemaphorePermit) -> bool {
    let outcome = answer.await;
    drop(permit);
    outcome.map_or_else(|error| !error.may_still_run(), |_| true)
}

async fn in_batch(batcher: Batcher, item: Item) -> Result<Bytes, CallError> {
    let answer = batcher.exchange(item).await.map_err(CallError::no_answer)?;
    match answer.status {
        200 if answer.body.len() > REPLY_BYTES_MAX => Err(CallError::too_large()),
        200 => Ok(answer.body),
        status => Err(CallError::status(status)),
    }
}

async fn alone(
    functions: FunctionClient,
    url: Url,
    request: RequestBuilder,
) -> Result<Bytes, CallError> {
    let mut response = request.send().await.map_err(CallError::transport)?;
    functions.learn(&url, response.headers());
    let status = response.status();
    // The body of an error is read as well, so that the connection can be reused. A body that is too
    // large is read to its end, because the function has ended only then.
    let (mut body, mut is_too_large) = (BytesMut::new(), false);
    while let Some(chunk) = response.chunk().await.map_err(CallError::transport)? {
        is_too_large |= body.len() + chunk.len() > REPLY_BYTES_MAX;
        if is_too_large {
            body = BytesMut::new();
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    if is_too_large {
        return Err(CallError::too_large());
    }
    if status == StatusCode::OK {
        Ok(body.freeze())
    } else {
        Err(CallError::status(status.as_u16()))
    }
}
