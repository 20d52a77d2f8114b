//! Subprotocols: the client offers, the function chooses, the gateway announces.

use std::fs;

use http::HeaderValue;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{
    backend::{Backend, Reply},
    client::{Client, request},
    process::Process,
    world::{PATH, World},
};

/// Checks the announced protocol if the client offers `offered` and register replies `websocket`.
async fn check(offered: &str, websocket: Value, announced: Option<&str>) {
    let world = World::start().await;
    let reply = json!({ "errNo": 0, "errMsg": "ok", "websocket": websocket, "extra": [1] });
    world.backend.always("register", Reply::json(&reply));
    // The answer is read as text: the library refuses a 101 without a protocol if it has offered
    // some. A browser does not.
    let answer = raw_handshake(&world, offered).await;
    let line = answer.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: "));
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert_eq!(line, announced, "{offered:?} {websocket}");
    assert!(!answer.to_lowercase().contains("sec-websocket-extensions"), "{answer}");
    world.finish().await;
}

const HEALTH: &str = "HEAD /~/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn handshake(offered: &str) -> String {
    format!(
        "GET {PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {offered}\r\nSec-WebSocket-Extensions: x-own\r\n\r\n"
    )
}

async fn raw_handshake(world: &World, offered: &str) -> String {
    raw_request(world, &handshake(offered), 1).await
}

/// The heads of so many answers to `request`, which have no bodies.
async fn raw_request(world: &World, request: &str, answers: usize) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(world.listeners.public).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut received = String::new();
    while received.matches("\r\n\r\n").count() < answers {
        let byte = crate::support::soon("the answer", stream.read_u8()).await.unwrap();
        received.push(char::from(byte));
    }
    received
}

#[tokio::test]
async fn the_function_chooses_one_of_the_offered_protocols() {
    check("chat, binary", json!({ "secWebSocketProtocol": "binary" }), Some("binary")).await;
    // The function returns the whole list: its first entry counts.
    check("chat, binary", json!({ "secWebSocketProtocol": "chat, binary" }), Some("chat")).await;
    check("chat", json!({ "secWebSocketExtensions": "" }), None).await;
    check("chat", json!(null), None).await;
    check("chat", json!({ "secWebSocketProtocol": "" }), None).await;
    // A client would fail the connection if a protocol were announced that it has not offered.
    check("chat", json!({ "secWebSocketProtocol": "other" }), None).await;
}

#[tokio::test]
async fn a_real_client_gets_the_chosen_protocol() {
    let world = World::start().await;
    let reply = json!({ "errNo": 0, "websocket": { "secWebSocketProtocol": "b" } });
    world.backend.always("register", Reply::json(&reply));
    let mut request = request(world.listeners.public, PATH);
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("a, b"));
    let client = Client::connect_with(request).await.unwrap();
    assert_eq!(client.response.headers()["sec-websocket-protocol"], "b");
    world.finish().await;
}

/// Some clients for small devices compare names byte by byte.
#[tokio::test]
async fn the_101_has_the_names_and_values_of_the_rfc_to_the_letter() {
    let world = World::start().await;
    let reply = json!({ "errNo": 0, "websocket": { "secWebSocketProtocol": "chat" } });
    world.backend.always("register", Reply::json(&reply));
    let answer = raw_handshake(&world, "chat").await;
    let (before, date) = answer.split_once("Date: ").unwrap();
    assert_eq!(
        before,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n"
    );
    assert!(date.ends_with(" GMT\r\n\r\n") && date.lines().count() == 2, "{answer}");
    // Behind the answer to a request that came together with the handshake.
    let both = raw_request(&world, &format!("{HEALTH}{}", handshake("chat")), 2).await;
    assert!(both.starts_with("HTTP/1.1 200 ") && both.contains(before), "{both}");
    world.finish().await;
}

/// A client that, as browsers do, fails a 101 without a subprotocol if it has offered some.
async fn offering(world: &World, offered: &'static str) -> Client {
    let mut request = request(world.listeners.public, PATH);
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(offered));
    Client::connect_with(request).await.unwrap()
}

#[tokio::test]
async fn without_register_the_first_offer_in_the_settings_is_chosen() {
    let world = World::launch(
        Backend::start().await,
        r#"
        listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }
        api = [{ id = "api-test", path = "/release/test", transmit = "BACKEND/transmit",
                 subprotocols = ["b", "a"] }]
        "#,
    )
    .await;
    for (offered, chosen) in [("a, b", "a"), ("x, b", "b"), ("B,b", "b")] {
        let mut client = offering(&world, offered).await;
        assert_eq!(client.response.headers()["sec-websocket-protocol"], chosen);
        client.send("hi").await;
        assert_eq!(world.backend.next("transmit").await.data(), "hi");
    }
    let none = raw_handshake(&world, "x, y").await;
    assert!(none.starts_with("HTTP/1.1 101") && !none.contains("Protocol:"), "{none}");
    world.finish().await;
}

#[tokio::test]
async fn the_choice_of_register_wins_over_the_settings() {
    let world = World::with("subprotocols = ['b', 'c']", "").await;
    let by_register = |name: &str| {
        let reply = json!({ "errNo": 0, "websocket": { "secWebSocketProtocol": name } });
        world.backend.always("register", Reply::json(&reply));
    };
    by_register("a");
    let client = offering(&world, "a, b").await;
    assert_eq!(client.response.headers()["sec-websocket-protocol"], "a");
    // It chooses none, or one that was not offered.
    for name in ["", "other"] {
        by_register(name);
        let client = offering(&world, "a, b").await;
        assert_eq!(client.response.headers()["sec-websocket-protocol"], "b");
    }
    world.backend.always("register", Reply::ok());
    let client = offering(&world, "c, b").await;
    assert_eq!(client.response.headers()["sec-websocket-protocol"], "c");
    world.finish().await;
}

#[tokio::test]
async fn the_log_says_once_for_each_api_that_offered_subprotocols_get_none() {
    const LINE: &str = "offer subprotocols and get none";
    let backend = Backend::start().await;
    let settings = |names: &str| {
        let api = |id: &str, more: &str| {
            format!(
                "[[api]]\nid = {id:?}\npath = \"/{id}\"\ntransmit = \"{0}/transmit\"\n\
                 register = \"{0}/register\"\n{more}\n",
                backend.url
            )
        };
        let listen = "listen = { public = \"127.0.0.1:0\", internal = \"127.0.0.1:0\" }\n";
        [listen, &api("one", &format!("subprotocols = [{names}]")), &api("two", "")].concat()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    fs::write(&file, settings("")).unwrap();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    let offer = async |path: &str, offered: &'static str| {
        let mut request = request(gateway.address("public"), path);
        let offered = HeaderValue::from_static(offered);
        request.headers_mut().insert("sec-websocket-protocol", offered);
        // The client fails the connection, as many do. By then the line has been written.
        let stream = tokio::net::TcpStream::connect(gateway.address("public")).await.unwrap();
        let answer = tokio_tungstenite::client_async(request, stream);
        crate::support::soon("an answer", answer).await.map(drop)
    };
    let lines = |api: &str| {
        let line = format!("clients of {api} {LINE}");
        gateway.log().lines().filter(|found| found.contains(&line)).count()
    };
    for _ in 0..3 {
        assert!(offer("/one", "secret-token").await.is_err());
    }
    assert!(offer("/two", "secret-token").await.is_err());
    gateway.logged("clients of two offer").await;
    assert_eq!((lines("one"), lines("two")), (1, 1));
    // With other settings it is said again.
    fs::write(&file, settings("\"chat\"")).unwrap();
    gateway.signal(Signal::SIGHUP);
    gateway.logged("settings reloaded").await;
    offer("/one", "chat").await.unwrap();
    assert!(offer("/one", "secret-token").await.is_err());
    assert!(offer("/two", "secret-token").await.is_err());
    gateway.signal(Signal::SIGTERM);
    let log = gateway.ended_with_log().await;
    assert_eq!(log.matches(&format!("clients of one {LINE}")).count(), 2, "{log}");
    assert_eq!(log.matches(&format!("clients of two {LINE}")).count(), 1, "{log}");
    assert!(!log.contains("secret-token"), "{log}");
    backend.stop();
}
