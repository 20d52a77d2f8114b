//! Shared by the tests of this crate: a scripted gateway, and inputs.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
};

use crate::{Context, Environment};

/// A server that records requests and answers from a script, then with success.
pub(crate) struct FakeGateway {
    url: String,
    state: Arc<State>,
    /// Ends with the test.
    _server: JoinSet<()>,
}

struct State {
    script: Mutex<VecDeque<(u16, String)>>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl FakeGateway {
    pub(crate) async fn start(script: impl Into<VecDeque<(u16, String)>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api-chat", listener.local_addr().unwrap());
        let script = Mutex::new(script.into());
        let state = Arc::new(State { script, requests: Mutex::default() });
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&state)));
        Self { url, state, _server: server }
    }

    /// The address to push to.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn requests(&self) -> Vec<Request<Bytes>> {
        self.state.requests.lock().unwrap().clone()
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        let requests = self.requests();
        requests.iter().map(|request| serde_json::from_slice(request.body()).unwrap()).collect()
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve_connection(stream, Arc::clone(&state)));
    }
}

async fn serve_connection(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(|request| state.answer(request));
    // An error means that the client hung up, which is allowed.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

impl State {
    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        self.requests.lock().unwrap().push(Request::from_parts(parts, body));
        let next = self.script.lock().unwrap().pop_front();
        let (status, body) =
            next.unwrap_or_else(|| (200, r#"{"errNo":0,"errMsg":"ok"}"#.to_owned()));
        let answer = Response::builder().status(status).header("etag", "e");
        Ok(answer.body(Full::from(body)).unwrap())
    }
}

/// An address where no server listens. The port stays reserved until this is dropped; a free port
/// could become the port of another test's gateway.
pub(crate) struct ClosedPort {
    url: String,
    _socket: TcpSocket,
}

impl ClosedPort {
    pub(crate) fn hold() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}/api-chat", socket.local_addr().unwrap());
        Self { url, _socket: socket }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// The environment of a chat function, with a roster in memory.
pub(crate) fn chat(url: &str, roster: &str) -> Environment {
    Environment::from([("url", url), ("ROSTER_URL", &format!("memory:///{roster}"))])
}

/// A transmit event.
pub(crate) fn message(from: &str, data_type: &str, data: &str) -> Vec<u8> {
    let websocket = json!({
        "action": "data send", "secConnectionID": from, "dataType": data_type, "data": data,
    });
    json!({ "websocket": websocket }).to_string().into_bytes()
}

pub(crate) fn context() -> Context {
    Context {
        request_id: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef".to_owned(),
        function_name: "function".to_owned(),
        memory_limit_mb: 128,
        time_limit: Duration::from_secs(3),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    }
}
