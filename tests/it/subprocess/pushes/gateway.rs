//! A server in place of a gateway, which keeps what it gets.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use daemon::{
    body::RequestBody,
    http::full,
    serve::{ServeSettings, serve},
};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, Semaphore, mpsc},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::service_fn;

use crate::support::soon;

/// What the server gets.
#[derive(Debug)]
pub(super) enum Got {
    /// The first part of a body that has not ended.
    Begin(String),
    Push(Push),
    /// A body that broke off.
    Broken,
}

/// A push that came whole.
#[derive(Debug)]
pub(super) struct Push {
    pub(super) head: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// The server.
pub(super) struct Gateway {
    pub(super) url: String,
    got: AsyncMutex<mpsc::Receiver<Got>>,
    state: Arc<State>,
    _stop: DropGuard,
}

struct State {
    got: mpsc::Sender<Got>,
    answer: Mutex<Response<String>>,
    /// A permit for each answer.
    answers: Semaphore,
}

impl Gateway {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::channel(10_000);
        let answer = Mutex::new(Response::new(r#"{"errNo":0,"errMsg":"ok"}"#.to_owned()));
        let answers = Semaphore::new(1_000_000);
        let state = Arc::new(State { got: sender, answer, answers });
        let minute = Duration::from_mins(1);
        let settings = ServeSettings {
            idle_timeout: minute,
            head_timeout: minute,
            connections_max: 1000,
            linger: Duration::ZERO,
        };
        let stop = CancellationToken::new();
        let this = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&this);
            async move { Ok(state.answer(request).await) }
        });
        tokio::spawn(serve(listener, settings, stop.clone(), service));
        Self { url, got: AsyncMutex::new(receiver), state, _stop: stop.drop_guard() }
    }

    /// From now on pushes are answered so.
    pub(super) fn answers(&self, answer: Response<&str>) {
        *self.state.answer.lock().unwrap() = answer.map(str::to_owned);
    }

    /// From now on no push is answered.
    pub(super) fn hold(&self) {
        self.state.answers.forget_permits(usize::MAX);
    }

    /// So many of the pushes that wait are answered.
    pub(super) fn release(&self, count: usize) {
        self.state.answers.add_permits(count);
    }

    /// What the server gets next.
    pub(super) async fn next(&self) -> Got {
        soon("a push", async { self.got.lock().await.recv().await }).await.unwrap()
    }

    /// The next push that comes whole.
    pub(super) async fn push(&self) -> Push {
        loop {
            match self.next().await {
                Got::Push(push) => return push,
                Got::Begin(_) => {}
                Got::Broken => panic!("a push broke off"),
            }
        }
    }

    /// That nothing more has come.
    pub(super) async fn nothing(&self) {
        let got = self.got.lock().await.try_recv();
        assert!(got.is_err(), "{got:?}");
    }
}

impl State {
    async fn answer(&self, request: Request<RequestBody>) -> Response<daemon::http::Body> {
        let (head, mut body) = request.into_parts();
        let (mut text, mut is_whole) = (String::new(), false);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                self.got.try_send(Got::Broken).unwrap();
                return Response::new(full("broken"));
            };
            text.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
            is_whole = hyper::body::Body::is_end_stream(&body);
            if !is_whole {
                let _ = self.got.try_send(Got::Begin(text.clone()));
                text.truncate(1 << 20);
            }
        }
        let _ = is_whole;
        let push = Push {
            head: format!("{} {}", head.method, head.uri),
            headers: head.headers,
            body: text,
        };
        self.got.try_send(Got::Push(push)).unwrap();
        self.answers.acquire().await.unwrap().forget();
        self.answer.lock().unwrap().clone().map(full)
    }
}
