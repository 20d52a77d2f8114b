//! One HTTP call of a function.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, RwLock},
    time::Duration,
};

use batch::{Batcher, Item, OFFER};
use bytes::{Bytes, BytesMut};
use futures_util::future::Either;
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use reqwest::{Client, ClientBuilder, RequestBuilder, redirect::Policy};
use shared::invocation::{ATTEMPT_HEADER, REQUEST_ID_HEADER, TRACEPARENT_HEADER};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::CallError;

/// An address that does not even accept is as good as refused.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Below the 5 s after which common servers (Node's, uvicorn) hang up on an idle connection: an
/// event that is sent on one that is being closed may or may not have been taken.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Longer than any call lasts that somebody waits for.
const BATCH_TIMEOUT: Duration = Duration::from_secs(1000);
/// What a function may return (documented).
const REPLY_BYTES_MAX: usize = 6 << 20;

/// Calls functions; all clones share their pools of connections.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// For `http`: without root certificates, so that a machine that has none can call in clear.
    clear: Client,
    /// For `https`, once a function needs it.
    secure: Arc<OnceLock<Client>>,
    /// Of the addresses that have offered to take batches.
    batchers: Arc<RwLock<HashMap<Url, Batcher>>>,
}

/// What to call, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Where.
    pub(crate) url: Url,
    /// The event.
    pub(crate) event: Bytes,
    /// Names the invocation. Attempts of one call have the same id, so they are found together.
    pub(crate) request_id: Arc<str>,
    /// W3C Trace Context of the client, for calls that its own request makes.
    pub(crate) traceparent: Option<HeaderValue>,
    /// Which attempt this is, where the function is told.
    pub(crate) attempt: Option<u32>,
}

impl Call {
    /// A call that no client's request waits for.
    pub(crate) fn new(url: &Url, event: impl Into<Bytes>) -> Self {
        let request_id = Uuid::new_v4().to_string().into();
        Self { url: url.clone(), event: event.into(), request_id, traceparent: None, attempt: None }
    }
}

impl Call {
    /// Its share of a batch. Our own runner has no use for the number of the attempt.
    fn to_item(&self) -> Item {
        let traceparent = self.traceparent.as_ref().and_then(|value| value.to_str().ok());
        Item {
            id: (*self.request_id).into(),
            traceparent: traceparent.map(Into::into),
            body: self.event.clone(),
        }
    }
}

impl Caller {
    /// A caller that has to be prepared for what it is to call.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        let clear = builder().tls_certs_only([]).build()?;
        Ok(Self { clear, secure: Arc::default(), batchers: Arc::default() })
    }

    /// Sees that functions at these addresses can be called.
    pub(crate) fn prepare(&self, addresses: &[Url]) -> Result<(), reqwest::Error> {
        if self.secure.get().is_none() && addresses.iter().any(|url| url.scheme() == "https") {
            let client = builder().build()?;
            self.secure.get_or_init(|| client);
        }
        Ok(())
    }

    /// Calls once. The body of the answer when it is a success: status 200 (documented).
    pub(crate) async fn call(&self, call: &Call, timeout: Duration) -> Result<Bytes, CallError> {
        let began = Instant::now();
        let mut exchange = Box::pin(self.exchange(call));
        match tokio::time::timeout(timeout, &mut exchange).await {
            Ok(outcome) => outcome,
            // Dropping the exchange would not end the function, but hide when it ends.
            Err(_) => Err(CallError::deadline(began, async move { drop(exchange.await) })),
        }
    }

    fn exchange(
        &self,
        call: &Call,
    ) -> impl Future<Output = Result<Bytes, CallError>> + Send + 'static {
        let batchers = self.batchers.read().expect("nothing panics with the lock held");
        let batcher = batchers.get(&call.url).filter(|batcher| batcher.takes(call.event.len()));
        let place = batcher.and_then(Batcher::alone);
        match batcher {
            Some(batcher) if place.is_none() => {
                Either::Left(in_batch(batcher.clone(), call.to_item()))
            }
            _ => {
                let exchange = alone(self.clone(), call.url.clone(), self.request(call));
                Either::Right(async move {
                    let _place = place;
                    exchange.await
                })
            }
        }
    }

    /// Notes what the answer of `url` says of batches.
    fn learn(&self, url: &Url, headers: &HeaderMap) {
        if !headers.contains_key(OFFER) {
            return;
        }
        let known = self.batchers.read().expect("nothing panics with the lock held");
        if let Some(batcher) = known.get(url) {
            return batcher.learn(headers);
        }
        drop(known);
        let mut batchers = self.batchers.write().expect("nothing panics with the lock held");
        let new = || Batcher::new(self.client(url).clone(), url.clone(), BATCH_TIMEOUT);
        batchers.entry(url.clone()).or_insert_with(new).learn(headers);
    }

    fn client(&self, url: &Url) -> &Client {
        match url.scheme() {
            "https" => self.secure.get().unwrap_or(&self.clear),
            _ => &self.clear,
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
        // An event is for the configured address alone.
        .redirect(Policy::none())
        .no_proxy()
}

async fn in_batch(batcher: Batcher, item: Item) -> Result<Bytes, CallError> {
    let answer = batcher.exchange(item).await.map_err(CallError::no_answer)?;
    match answer.status {
        200 if answer.body.len() > REPLY_BYTES_MAX => Err(CallError::too_large()),
        200 => Ok(answer.body),
        status => Err(CallError::status(status)),
    }
}

async fn alone(caller: Caller, url: Url, request: RequestBuilder) -> Result<Bytes, CallError> {
    let mut response = request.send().await.map_err(CallError::transport)?;
    caller.learn(&url, response.headers());
    let status = response.status();
    // The body of an error is read too, so that the connection can be used again.
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(CallError::transport)? {
        if body.len() + chunk.len() > REPLY_BYTES_MAX {
            return Err(CallError::too_large());
        }
        body.extend_from_slice(&chunk);
    }
    if status == StatusCode::OK {
        Ok(body.freeze())
    } else {
        Err(CallError::status(status.as_u16()))
    }
}
