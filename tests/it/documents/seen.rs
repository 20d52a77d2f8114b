//! What docs/troubleshooting.md says of failures is what happens: the status or the close code that
//! is seen, and the log line beside it.

use std::fs;

use tokio::net::TcpListener;

use super::blocks::read;
use crate::support::{
    backend::{Backend, Reply},
    client::Client,
    process::Process,
    world::closing,
};

const DOCUMENT: &str = "docs/troubleshooting.md";

/// A gateway whose functions fail in all ways.
struct Failing {
    gateway: Process,
    backend: Backend,
    _folder: tempfile::TempDir,
    _silent: TcpListener,
}

/// The API `name`, with `lines` for its functions.
fn api(name: &str, lines: &str) -> String {
    format!(
        "[[api]]\nid = \"{name}\"\npath = \"/{name}\"\ntimeout = \"500ms\"\n\
         transmit = \"BACKEND/transmit\"\n{lines}\n"
    )
}

impl Failing {
    async fn start() -> Self {
        let backend = Backend::start().await;
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let text = [
            "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n".to_owned(),
            "drain = { timeout = \"2s\" }\nlog = { filter = \"info,gateway=debug\" }\n".to_owned(),
            "connection = { write_timeout = \"500ms\" }\n".to_owned(),
            api("fine", "max_message = 100"),
            api("register", "register = \"BACKEND/register\""),
            api("nobody", &format!("register = \"http://{closed}/\"")),
            api("silent", &format!("register = \"http://{address}/\"")),
        ];
        let folder = tempfile::tempdir().unwrap();
        let text = text.concat().replace("BACKEND", &backend.url);
        fs::write(folder.path().join("gateway.toml"), text).unwrap();
        let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
        Self { gateway, backend, _folder: folder, _silent: silent }
    }

    /// The log has the line, which is quoted in the document with `status` in the same row.
    async fn logs(&self, status: &str, quoted: &str) {
        let is_row = |line: &&str| {
            let first = line.trim_start_matches("| ").split('|').next().unwrap();
            first.contains(status) && line.contains(&format!("`{quoted}`"))
        };
        let text = read(DOCUMENT);
        assert!(text.lines().any(|line| is_row(&line)), "no row for {status}: {quoted}");
        for piece in quoted.split('…') {
            self.gateway.logged(piece).await;
        }
    }

    async fn refused(&self, path: &str) -> (u16, String) {
        let refused = Client::connect(self.gateway.address("public"), path).await.err().unwrap();
        let body = String::from_utf8_lossy(refused.body()).into_owned();
        (refused.status().as_u16(), body)
    }

    async fn connect(&self, path: &str) -> Client {
        Client::connect(self.gateway.address("public"), path).await.unwrap()
    }
}

#[tokio::test]
async fn refused_handshakes_are_seen_and_logged_as_the_document_says() {
    let it = Failing::start().await;
    assert_eq!(it.refused("/nothing").await.0, 404);
    assert_eq!(it.refused("/nobody").await.0, 503);
    it.logs("503", "register failed").await;
    it.logs("503", "function did not answer").await;
    assert_eq!(it.refused("/silent").await.0, 504);
    it.logs("504", "function did not answer in time").await;

    it.backend.always("register", Reply::status(500));
    assert_eq!(it.refused("/register").await.0, 502);
    it.logs("502", "function answered …").await;
    it.backend.always("register", Reply { status: 200, body: b"no JSON".to_vec() });
    assert_eq!(it.refused("/register").await.0, 502);
    it.logs("502", "register answered something unreadable").await;
    let no = Reply::json(&serde_json::json!({ "errNo": 7, "errMsg": "not you" }));
    it.backend.always("register", no);
    assert_eq!(it.refused("/register").await, (403, r#"{"message":"not you"}"#.to_owned()));
    it.logs("403", "register refused").await;
}

#[tokio::test]
async fn closed_connections_are_seen_and_logged_as_the_document_says() {
    let it = Failing::start().await;
    let mut client = it.connect("/fine").await;
    client.send("x".repeat(101)).await;
    assert_eq!(client.closed().await, 1009);
    it.logs("1009", "client broke the protocol").await;

    it.backend.always("transmit", Reply::status(406));
    let mut client = it.connect("/fine").await;
    client.send("hello").await;
    assert_eq!(client.closed().await, 1009);

    it.backend.always("transmit", Reply::status(430));
    let mut client = it.connect("/fine").await;
    client.send("hello").await;
    it.logs("answered by transmit", "transmit failed").await;
    it.backend.always("transmit", Reply::status(435));
    client.send("hello").await;
    assert_eq!(client.closed().await, 1011);
    it.logs("1011", "closed connection with 1011: transmit of … failed").await;
    it.logs("function answered 435", "function answered 435").await;
}

#[tokio::test]
async fn pushes_that_fail_are_logged_as_the_document_says() {
    let it = Failing::start().await;
    let url = format!("http://{}/fine", it.gateway.address("internal"));
    let body = closing("nobody").to_string();
    let answer = crate::support::access::operator().post(url).body(body).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("410"));
    it.logs("410", "push not carried out").await;
}
