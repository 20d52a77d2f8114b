//! A runner that serves during a test.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    functions::settings,
    http::{Answer, OPERATOR, invocation, receive, send},
};
use crate::{Runner, Settings, serve_with_changes};

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Server {
    /// Serves the functions that `text` configures.
    pub(super) async fn start(text: &str) -> Self {
        let (_, no_changes) = mpsc::channel(1);
        Self::start_with_changes(text, no_changes).await
    }

    /// The same, and takes the settings that arrive on `changes` into use.
    pub(super) async fn start_with_changes(text: &str, changes: mpsc::Receiver<Settings>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let runner = Runner::start(settings(text)).unwrap();
        let serving = tokio::spawn(serve_with_changes(runner, listener, changes, stop.clone()));
        Self { address, stop, serving }
    }

    /// Invokes `name` with `event`.
    pub(super) async fn invoke(&self, name: &str, event: impl AsRef<[u8]>) -> Answer {
        self.send(&invocation(name, "", event.as_ref())).await
    }

    /// Gets `path`.
    pub(super) async fn get(&self, path: &str) -> Answer {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             authorization: Bearer {OPERATOR}\r\n\r\n"
        );
        self.send(head.as_bytes()).await
    }

    /// Sends any `request`, and reads the answer.
    pub(super) async fn send(&self, request: &[u8]) -> Answer {
        receive(send(self.address, request).await).await
    }

    /// How many invocations of `name` are running.
    pub(super) async fn running(&self, name: &str) -> Value {
        let functions = self.get("/functions").await.json();
        let functions = functions["functions"].as_array().unwrap();
        functions.iter().find(|function| function["name"] == name).unwrap()["running"].clone()
    }

    /// Stops the runner. Every test ends with this: no invocation may still run, and the runner
    /// must stop.
    pub(super) async fn stop(self) {
        let functions = self.get("/functions").await.json();
        for function in functions["functions"].as_array().unwrap() {
            assert_eq!(function["running"], 0, "{function}");
        }
        self.stop.cancel();
        self.ended().await;
    }

    /// Waits until the runner has stopped.
    pub(super) async fn ended(self) {
        self.serving.await.unwrap();
    }
}
