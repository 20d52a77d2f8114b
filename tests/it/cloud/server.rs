//! A server in place of those to which names lead. It keeps what it gets, and answers with 200.

use std::time::Duration;

use daemon::{
    body::RequestBody,
    http::json,
    serve::{ServeSettings, serve},
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::service_fn;

use crate::support::soon;

/// A request.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) host: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

pub(crate) struct Server {
    pub(crate) url: String,
    got: Mutex<mpsc::Receiver<Got>>,
    _stop: DropGuard,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, got) = mpsc::channel(1000);
        let minute = Duration::from_mins(1);
        let settings = ServeSettings {
            idle_timeout: minute,
            head_timeout: minute,
            connections_max: 100,
            linger: Duration::ZERO,
        };
        let service = service_fn(move |request: Request<RequestBody>| {
            let sender = sender.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let host = head.headers.get("host").map(|host| host.to_str().unwrap().to_owned());
                let got = Got {
                    method: head.method.to_string(),
                    path: head.uri.to_string(),
                    host: host.unwrap_or_default(),
                    headers: head.headers,
                    body: String::from_utf8_lossy(&body).into_owned(),
                };
                sender.send(got).await.unwrap();
                Ok(json(StatusCode::OK, &json!({ "errNo": 0, "errMsg": "ok" })))
            }
        });
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, settings, stop.clone(), service));
        Self { url, got: Mutex::new(got), _stop: stop.drop_guard() }
    }

    pub(crate) async fn next(&self) -> Got {
        soon("a request", async { self.got.lock().await.recv().await }).await.unwrap()
    }

    pub(crate) fn port(&self) -> &str {
        self.url.rsplit(':').next().unwrap()
    }

    /// Whether nothing has come that was not asked for.
    pub(crate) async fn is_idle(&self) -> bool {
        self.got.lock().await.try_recv().is_err()
    }
}
