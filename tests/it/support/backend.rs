//! Scripted functions: a web server in place of the function-runner.
//!
//! It passes each call to the [`Oracle`], which judges the gateway by the calls that functions get.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use daemon::{
    body::{BodyMemory, RequestBody},
    http::json_bytes,
    serve::{Listener, ServeSettings, serve},
    tls::Tls,
};
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, Notify, mpsc},
};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use super::{TEST_TIMEOUT, oracle::Oracle, soon};

type Handler = Arc<dyn Fn(FunctionCall) -> BoxFuture<Reply> + Send + Sync>;
type BoxFuture<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// A call of a function by the gateway.
#[derive(Debug, Clone)]
pub(crate) struct FunctionCall {
    pub(crate) function: String,
    pub(crate) headers: HeaderMap,
    pub(crate) event: Value,
}

/// The response of a function.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// The scripted functions `register`, `transmit` and `cleanup`. By default all accept everything.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

struct Inner {
    handlers: Mutex<HashMap<String, Handler>>,
    senders: HashMap<&'static str, mpsc::Sender<FunctionCall>>,
    receivers: HashMap<&'static str, AsyncMutex<mpsc::Receiver<FunctionCall>>>,
    oracle: Oracle,
    stop: CancellationToken,
}

const FUNCTIONS: [&str; 3] = ["register", "transmit", "cleanup"];
/// Capacity of a queue of calls; more than any test leaves unread.
const CALLS_MAX: usize = 100_000;
/// The largest event.
const BODY_BYTES_MAX: usize = 64 << 20;

impl FunctionCall {
    /// A field of `websocket`.
    pub(crate) fn websocket(&self, field: &str) -> &str {
        self.event["websocket"][field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}"))
    }

    pub(crate) fn id(&self) -> &str {
        self.websocket("secConnectionID")
    }

    pub(crate) fn data(&self) -> &str {
        self.websocket("data")
    }
}

impl Reply {
    pub(crate) fn ok() -> Self {
        Self::json(&json!({ "errNo": 0, "errMsg": "ok" }))
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self { status: 200, body: body.to_string().into_bytes() }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, body: json!({ "errorCode": -1, "statusCode": status }).to_string().into() }
    }
}

impl Backend {
    pub(crate) async fn start() -> Self {
        Self::listen(None).await
    }

    /// The same at an `https` URL.
    pub(crate) async fn start_with_tls(tls: Tls) -> Self {
        Self::listen(Some(tls)).await
    }

    async fn listen(tls: Option<Tls>) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", tcp.local_addr().unwrap());
        let listener = Listener { tls, ..tcp.into() };
        let (mut senders, mut receivers) = (HashMap::new(), HashMap::new());
        for function in FUNCTIONS {
            let (sender, receiver) = mpsc::channel(CALLS_MAX);
            senders.insert(function, sender);
            receivers.insert(function, AsyncMutex::new(receiver));
        }
        let stop = CancellationToken::new();
        let inner = Inner {
            handlers: Mutex::default(),
            senders,
            receivers,
            oracle: Oracle::default(),
            stop: stop.clone(),
        };
        let backend = Self { url, inner: Arc::new(inner) };
        let service = {
            let backend = backend.clone();
            service_fn(move |request| {
                let backend = backend.clone();
                async move { Ok(backend.answer(request).await) }
            })
        };
        let settings = ServeSettings {
            idle_timeout: 2 * TEST_TIMEOUT,
            head_timeout: 2 * TEST_TIMEOUT,
            connections_max: 10_000,
            linger: Duration::ZERO,
        };
        tokio::spawn(serve(listener, settings, stop, service));
        backend
    }

    /// Scripts a function: `handler` is run for each call.
    pub(crate) fn on<F>(
        &self,
        function: &str,
        handler: impl Fn(FunctionCall) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Reply> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |call| Box::pin(handler(call)));
        self.inner.handlers.lock().unwrap().insert(function.to_owned(), handler);
    }

    /// Scripts a function that always gives the same reply.
    pub(crate) fn always(&self, function: &str, reply: Reply) {
        self.on(function, move |_| {
            let reply = reply.clone();
            async move { reply }
        });
    }

    /// Makes a function wait: each call ends with one `notify_one` of the gate.
    pub(crate) fn hold(&self, function: &str) -> Arc<Notify> {
        let gate = Arc::new(Notify::new());
        let closed = Arc::clone(&gate);
        self.on(function, move |_| {
            let gate = Arc::clone(&closed);
            async move {
                gate.notified().await;
                Reply::ok()
            }
        });
        gate
    }

    /// Waits for the next call of a function.
    pub(crate) async fn next(&self, function: &str) -> FunctionCall {
        let mut calls = self.inner.receivers[function].lock().await;
        soon(&format!("a call of {function}"), calls.recv()).await.unwrap()
    }

    /// Whether there is a call of a function that [`Self::next`] has not returned yet.
    pub(crate) async fn was_called(&self, function: &str) -> bool {
        !self.inner.receivers[function].lock().await.is_empty()
    }

    pub(crate) fn oracle(&self) -> &Oracle {
        &self.inner.oracle
    }

    pub(crate) fn stop(&self) {
        self.inner.stop.cancel();
    }

    async fn answer(&self, request: Request<RequestBody>) -> Response<daemon::http::Body> {
        let function = request.uri().path().trim_start_matches('/').to_owned();
        let headers = request.headers().clone();
        let memory = BodyMemory::new(BODY_BYTES_MAX, TEST_TIMEOUT);
        let body = memory.read(request.into_body(), BODY_BYTES_MAX).await.unwrap();
        let event = serde_json::from_slice(&body.bytes).unwrap();
        let call = FunctionCall { function: function.clone(), headers, event };
        self.inner.oracle.called(&call);
        self.inner.senders[function.as_str()].try_send(call.clone()).unwrap();
        let handler = self.inner.handlers.lock().unwrap().get(&function).cloned();
        // In a task of its own, so that a function runs to its end even if the gateway hangs up.
        let this = self.clone();
        let running = tokio::spawn(async move {
            let reply = match handler {
                Some(handler) => handler(call.clone()).await,
                None => Reply::ok(),
            };
            this.inner.oracle.answered(&call, &reply);
            reply
        });
        let reply = running.await.unwrap();
        json_bytes(StatusCode::from_u16(reply.status).unwrap(), reply.body)
    }
}
