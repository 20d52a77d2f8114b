//! The chat end to end: client, gateway, runner, functions, push, the other client.

use std::{collections::BTreeSet, fs, path::Path};

use tokio_tungstenite::tungstenite::Message;

use crate::support::{client::Client, soon, stack::Stack};

const CHAT: &str = "/release/chat";
const ECHO: &str = "/release/echo";

/// The connection ids in a roster of files.
fn online(roster: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(roster).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Waits until the roster has `count` ids. An id is removed by cleanup, after the client has left.
async fn until_online(roster: &Path, count: usize) {
    soon("the roster to change", async {
        while online(roster).len() != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn people_chat_and_the_roster_has_the_open_connections() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(folder.path().to_str().unwrap()).await;
    let mut anna = Client::connect(stack.listeners.public, CHAT).await.unwrap();
    let mut ben = Client::connect(stack.listeners.public, CHAT).await.unwrap();
    assert_eq!(online(folder.path()).len(), 2);

    anna.send("anna: hello").await;
    assert_eq!(ben.receive_text().await, "anna: hello(===Online people:2===)");
    ben.send("ben: grüß dich 👋").await;
    assert_eq!(anna.receive_text().await, "ben: grüß dich 👋(===Online people:2===)");
    anna.send(Message::Binary(vec![0, 255].into())).await;
    assert_eq!(ben.receive().await, Message::Binary(vec![0, 255].into()));

    let mut cara = Client::connect(stack.listeners.public, CHAT).await.unwrap();
    assert_eq!(online(folder.path()).len(), 3);
    anna.send("anna: hello all").await;
    assert_eq!(ben.receive_text().await, "anna: hello all(===Online people:3===)");
    assert_eq!(cara.receive_text().await, "anna: hello all(===Online people:3===)");

    ben.close(1000.into()).await;
    until_online(folder.path(), 2).await;
    cara.send("cara: bye").await;
    assert_eq!(anna.receive_text().await, "cara: bye(===Online people:2===)");
    stack.finish().await;
    assert_eq!(online(folder.path()), BTreeSet::new());
}

#[tokio::test]
async fn the_next_message_removes_unknown_ids_from_the_roster() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(folder.path().to_str().unwrap()).await;
    let stale = "xawexasdfewezdfsdfeasdfffa==";
    fs::write(folder.path().join(stale), "").unwrap();
    let mut anna = Client::connect(stack.listeners.public, CHAT).await.unwrap();
    assert_eq!(online(folder.path()).len(), 2);
    anna.send("anybody?").await;
    soon("the stale id to go", async {
        while online(folder.path()).contains(stale) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(online(folder.path()).len(), 1);
    stack.finish().await;
}

#[tokio::test]
async fn echo_sends_text_and_binary_back() {
    let stack = Stack::start("memory:///echo").await;
    let mut client = Client::connect(stack.listeners.public, ECHO).await.unwrap();
    client.send("hello").await;
    assert_eq!(client.receive_text().await, "hello");
    client.send(Message::Binary(vec![0, 255].into())).await;
    assert_eq!(client.receive().await, Message::Binary(vec![0, 255].into()));
    client.send("").await;
    assert_eq!(client.receive_text().await, "");
    let big = "x".repeat(1 << 20);
    client.send(big.clone()).await;
    assert_eq!(client.receive_text().await, big);
    stack.finish().await;
}

#[tokio::test]
async fn the_public_listener_also_serves_the_page() {
    let stack = Stack::start("memory:///page").await;
    let url = format!("http://{}", stack.listeners.public);
    for (path, content_type) in
        [("/", "text/html"), ("/chat.js", "text/javascript"), ("/favicon.svg", "image/svg+xml")]
    {
        let response = crate::support::access::get(format!("{url}{path}")).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers();
        assert!(headers["content-type"].to_str().unwrap().starts_with(content_type), "{path}");
        assert!(headers.contains_key("content-security-policy"), "{path}");
    }
    for path in ["/nothing.html", "/../Cargo.toml", "/%2e%2e/Cargo.toml"] {
        let response = crate::support::access::get(format!("{url}{path}")).await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
    stack.finish().await;
}
