//! A server between the gateway and the scripted functions, that breaks calls off, or never
//! answers.

use std::{
    io, mem,
    sync::{Arc, Mutex},
};

use batch::{ItemResponse, OFFER, VERSION, server, wire::items};
use bytes::Bytes;
use daemon::http::{Body, json};
use futures_util::{FutureExt, future::pending};
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONNECTION};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::backend::Backend;

/// What the server does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Passes the call on, and its answer back.
    Pass,
    /// Passes the call on, and breaks the connection off while the function runs.
    Break,
    /// Passes the call on, and answers 504 while the function runs.
    GatewayTimeout,
    /// Passes nothing on, and never answers.
    Hang,
}

/// What the server answers as a runner that is asked for its functions.
#[derive(Debug, Clone, Copy)]
enum Listed {
    /// That there is no such path.
    Nothing,
    /// It never answers.
    NoAnswer,
    Times {
        timeout_ms: u64,
        ends_within_ms: u64,
    },
}

/// The server. It stands for a proxy, and for a runner that has the functions `register` and
/// `transmit`.
pub(crate) struct Between {
    pub(crate) url: String,
    inner: Arc<Inner>,
    serving: AbortOnDropHandle<()>,
}

struct Inner {
    backend: Backend,
    http: reqwest::Client,
    way: Mutex<Way>,
    /// Whether it offers to take batches.
    offers: bool,
    listed: Mutex<Listed>,
    /// Cancelled to break all connections off.
    cut: Mutex<CancellationToken>,
    /// How many batches have come.
    batches: watch::Sender<usize>,
}

impl Between {
    pub(crate) async fn start(backend: &Backend, offers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            backend: backend.clone(),
            http: reqwest::Client::new(),
            way: Mutex::new(Way::Pass),
            offers,
            listed: Mutex::new(Listed::Nothing),
            cut: Mutex::default(),
            batches: watch::Sender::new(0),
        });
        let serving = Arc::clone(&inner);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let inner = Arc::clone(&serving);
                let cut = inner.cut.lock().unwrap().clone();
                let service = service_fn(move |request| Arc::clone(&inner).answer(request));
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(cut.run_until_cancelled_owned(serving));
            }
        });
        Self { url, inner, serving: AbortOnDropHandle::new(serving) }
    }

    /// What it does from now on.
    pub(crate) fn set(&self, way: Way) {
        *self.inner.way.lock().unwrap() = way;
    }

    /// Answers from now on as a runner whose functions have this timeout, and whose invocations
    /// will have ended within this time.
    pub(crate) fn list(&self, timeout_ms: u64, ends_within_ms: u64) {
        *self.inner.listed.lock().unwrap() = Listed::Times { timeout_ms, ends_within_ms };
    }

    /// Does not answer from now on when it is asked for its functions.
    pub(crate) fn list_nothing(&self) {
        *self.inner.listed.lock().unwrap() = Listed::NoAnswer;
    }

    /// Breaks all connections off. The functions run on.
    pub(crate) fn cut(&self) {
        mem::take(&mut *self.inner.cut.lock().unwrap()).cancel();
    }

    /// Ends as a process does that is killed. The functions run on.
    pub(crate) async fn end(self) {
        self.serving.abort();
        let _ = self.serving.await;
        mem::take(&mut *self.inner.cut.lock().unwrap()).cancel();
    }

    /// Waits until a batch has come.
    pub(crate) async fn got_batch(&self) {
        let mut batches = self.inner.batches.subscribe();
        super::soon("a batch", batches.wait_for(|count| *count > 0)).await.unwrap();
    }
}

impl Inner {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<Body>> {
        if request.method() == Method::GET {
            return Ok(self.functions().await);
        }
        let path = request.uri().path().to_owned();
        let name = path.strip_prefix("/functions/").and_then(|it| it.strip_suffix("/invocations"));
        let name = name.unwrap_or(path.trim_start_matches('/')).to_owned();
        let is_batch = server::is_batch(request.headers());
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let events = if is_batch {
            items(body).unwrap().into_iter().map(|item| item.body).collect()
        } else {
            vec![body]
        };
        self.batches.send_modify(|count| *count += usize::from(is_batch));
        let way = *self.way.lock().unwrap();
        if way == Way::Hang {
            return pending().await;
        }
        // Each in a task of its own, as nothing ends a function that runs.
        let mut calls = events.into_iter().map(|event| {
            let this = Arc::clone(&self);
            let name = name.clone();
            let call = tokio::spawn(async move { this.pass(&name, event).await });
            async move { call.await.unwrap() }.boxed()
        });
        let mut response = match way {
            Way::Pass | Way::Hang if is_batch => server::answer(calls).await,
            Way::Pass | Way::Hang => {
                let ItemResponse { status, body } = calls.next().unwrap().await;
                daemon::http::json_bytes(StatusCode::from_u16(status).unwrap(), body)
            }
            Way::Break | Way::GatewayTimeout => {
                // All of them run from here on.
                let count = calls.count();
                for _ in 0..count {
                    self.backend.next(&name).await;
                }
                if way == Way::Break {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                json(StatusCode::GATEWAY_TIMEOUT, &json!({}))
            }
        };
        if self.offers {
            response.headers_mut().insert(OFFER, VERSION);
        }
        Ok(response)
    }

    async fn pass(&self, name: &str, event: Bytes) -> ItemResponse {
        let url = format!("{}/{name}", self.backend.url);
        let response = self.http.post(url).body(event).send().await.unwrap();
        let status = response.status().as_u16();
        ItemResponse { status, body: response.bytes().await.unwrap() }
    }

    async fn functions(&self) -> Response<Body> {
        let listed = *self.listed.lock().unwrap();
        let (timeout_ms, ends_within_ms) = match listed {
            Listed::Nothing => return json(StatusCode::NOT_FOUND, &json!({})),
            Listed::NoAnswer => return pending().await,
            Listed::Times { timeout_ms, ends_within_ms } => (timeout_ms, ends_within_ms),
        };
        let function = |name| json!({ "name": name, "timeout_ms": timeout_ms, "ends_within_ms": ends_within_ms });
        let functions = [function("register"), function("transmit")];
        let mut response = json(StatusCode::OK, &json!({ "functions": functions }));
        // The next question needs a new connection.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}
