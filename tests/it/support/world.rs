//! A gateway in this process, with scripted functions.

use std::{collections::BTreeMap, path::Path};

use daemon::credentials::AccessSettings;
use gateway::{
    gateway::{Gateway, GatewayError, Listeners},
    settings::{PushAuth, Settings},
};
use serde_json::{Value, json};
use tokio::{net::TcpSocket, sync::mpsc, task::JoinHandle};
use tokio_tungstenite::client_async;
use tokio_util::sync::CancellationToken;

use super::{
    CLOSE_TIMEOUT, access,
    backend::{Backend, FunctionCall},
    client::{Client, request},
    soon,
};

/// The path of the API `api-test`, which every world has.
pub(crate) const PATH: &str = "/release/test";

/// A running gateway and its scripted functions.
pub(crate) struct World {
    pub(crate) backend: Backend,
    pub(crate) listeners: Listeners,
    pub(crate) stop: CancellationToken,
    http: reqwest::Client,
    gateway: JoinHandle<Result<(), GatewayError>>,
    changes: mpsc::Sender<Settings>,
    /// The folder with the journal.
    _folder: tempfile::TempDir,
}

impl World {
    /// One API with default settings.
    pub(crate) async fn start() -> Self {
        Self::with("", "").await
    }

    /// One API. `api` has additional lines for its table, and `tables` additional tables. In both,
    /// `BACKEND` stands for the URL of the functions.
    pub(crate) async fn with(api: &str, tables: &str) -> Self {
        Self::with_backend(Backend::start().await, api, tables).await
    }

    /// The same with these functions.
    pub(crate) async fn with_backend(backend: Backend, api: &str, tables: &str) -> Self {
        let text = format!(
            r#"
            [listen]
            public = "127.0.0.1:0"
            internal = "127.0.0.1:0"

            [[api]]
            id = "api-test"
            path = "{PATH}"
            register = "BACKEND/register"
            transmit = "BACKEND/transmit"
            cleanup = "BACKEND/cleanup"
            {api}

            {tables}
            "#
        );
        Self::launch(backend, &text).await
    }

    /// A world with these settings. `BACKEND` in them stands for the URL of the functions.
    pub(crate) async fn launch(backend: Backend, settings: &str) -> Self {
        let text = settings.replace("BACKEND", &backend.url);
        let mut settings = parse(&text);
        if !text.contains("close_timeout") {
            settings.connection.close_timeout = CLOSE_TIMEOUT;
        }
        complete(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        if !text.contains("[journal]") {
            settings.journal.dir = folder.path().join("journal");
        }
        let (changes, changed) = mpsc::channel(1);
        let gateway = Gateway::bind(settings).await.unwrap().with_changes(changed);
        let listeners = gateway.listeners().unwrap();
        let stop = CancellationToken::new();
        let gateway = tokio::spawn(gateway.run(stop.clone()));
        let http = access::operator();
        Self { backend, listeners, stop, http, gateway, changes, _folder: folder }
    }

    /// Gives the running gateway new settings. The settings of one call are applied before those of
    /// the next.
    pub(crate) async fn change(&self, settings: &str) {
        let mut settings = parse(&settings.replace("BACKEND", &self.backend.url));
        complete(&mut settings);
        self.changes.send(settings).await.unwrap();
    }

    /// A connected client, and its register call.
    pub(crate) async fn client(&self) -> (Client, FunctionCall) {
        let client = self.connect().await;
        (client, self.backend.next("register").await)
    }

    /// A connected client.
    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.listeners.public, PATH).await.unwrap()
    }

    /// A connected client for which the system buffers little, and its register call.
    pub(crate) async fn small_client(&self) -> (Client, FunctionCall) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(32 << 10).unwrap();
        let stream = socket.connect(self.listeners.public).await.unwrap();
        let request = request(self.listeners.public, PATH);
        let (socket, response) = client_async(request, stream).await.unwrap();
        (Client { socket, response }, self.backend.next("register").await)
    }

    /// Pushes without waiting for the answer.
    pub(crate) fn push_later(&self, body: &Value) -> JoinHandle<Value> {
        let url = format!("http://{}/api-test", self.listeners.internal);
        let request = self.http.post(url).body(body.to_string());
        tokio::spawn(async move {
            let answer = soon("an answer to a push", request.send()).await.unwrap();
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
        })
    }

    /// POSTs a push to `api-test`. Returns the HTTP status and the answer.
    pub(crate) async fn push(&self, body: Value) -> (u16, Value) {
        self.push_bytes("api-test", body.to_string()).await
    }

    pub(crate) async fn push_bytes(&self, api: &str, body: impl Into<Vec<u8>>) -> (u16, Value) {
        let url = format!("http://{}/{api}", self.listeners.internal);
        let request = self.http.post(url).body(body.into()).send();
        let response = soon("an answer to a push", request).await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    /// Pushes a text. Returns the errNo.
    pub(crate) async fn push_text(&self, id: &str, text: &str) -> u64 {
        let (status, answer) = self.push(data_send(id, text)).await;
        assert_eq!(status, 200, "{answer}");
        answer["errNo"].as_u64().unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> u16 {
        let url = format!("http://{}{path}", self.listeners.internal);
        soon("an answer", self.http.get(url).send()).await.unwrap().status().as_u16()
    }

    /// Stops the gateway, which must drain, and checks the invariants of the oracle.
    pub(crate) async fn finish(self) {
        let backend = self.backend.clone();
        self.stopped().await.unwrap();
        backend.oracle().check();
        backend.stop();
    }

    /// Stops the gateway. Returns its result.
    pub(crate) async fn stopped(self) -> Result<(), GatewayError> {
        self.stop.cancel();
        soon("the end of the gateway", self.gateway).await.unwrap()
    }
}

fn parse(text: &str) -> Settings {
    Settings::parse(Path::new("gateway.toml"), text, &BTreeMap::new()).unwrap()
}

/// Adds who may use the internal listener: the tests of that say so in their settings.
fn complete(settings: &mut Settings) {
    settings.access =
        AccessSettings { is_insecure: settings.access.is_insecure, ..access::given() };
    settings.push.auth = settings.push.auth.or(Some(PushAuth::Loopback));
}

/// The body of a push of a text to one connection.
pub(crate) fn data_send(id: &str, text: &str) -> Value {
    json!({ "websocket": {
        "action": "data send", "secConnectionID": id, "dataType": "text", "data": text,
    } })
}

/// The body of a push that closes a connection.
pub(crate) fn closing(id: &str) -> Value {
    json!({ "websocket": { "action": "closing", "secConnectionID": id } })
}
