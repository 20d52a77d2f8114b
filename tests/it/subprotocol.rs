//! Subprotocols: what the client offers, what the function chooses, what is announced.

use http::HeaderValue;
use serde_json::{Value, json};

use crate::support::{
    backend::Reply,
    client::{Client, request},
    world::{PATH, World},
};

/// What is announced when the client offers `offered` and register answers with `websocket`?
async fn check(offered: &str, websocket: Value, announced: Option<&str>) {
    let world = World::start().await;
    let reply = json!({ "errNo": 0, "errMsg": "ok", "websocket": websocket, "extra": [1] });
    world.backend.always("register", Reply::json(&reply));
    // The library refuses a 101 without a protocol when it has offered some, as a browser would
    // not; so the answer is read as text.
    let answer = raw_handshake(&world, offered).await;
    let line = answer.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol: "));
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert_eq!(line, announced, "{offered:?} {websocket}");
    assert!(!answer.contains("sec-websocket-extensions"), "{answer}");
    world.finish().await;
}

async fn raw_handshake(world: &World, offered: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(world.doors.public).await.unwrap();
    let request = format!(
        "GET {PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {offered}\r\nSec-WebSocket-Extensions: x-own\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(crate::support::soon("the answer", stream.read_u8()).await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn the_function_chooses_among_what_is_offered() {
    check("chat, binary", json!({ "secWebSocketProtocol": "binary" }), Some("binary")).await;
    // The whole list echoed back: its first entry.
    check("chat, binary", json!({ "secWebSocketProtocol": "chat, binary" }), Some("chat")).await;
    check("chat", json!({ "secWebSocketExtensions": "" }), None).await;
    check("chat", json!(null), None).await;
    check("chat", json!({ "secWebSocketProtocol": "" }), None).await;
    // Announcing what was not offered would make the client fail the connection.
    check("chat", json!({ "secWebSocketProtocol": "other" }), None).await;
}

#[tokio::test]
async fn a_real_client_gets_the_protocol_that_was_chosen() {
    let world = World::start().await;
    let reply = json!({ "errNo": 0, "websocket": { "secWebSocketProtocol": "b" } });
    world.backend.always("register", Reply::json(&reply));
    let mut request = request(world.doors.public, PATH);
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("a, b"));
    let client = Client::connect_with(request).await.unwrap();
    assert_eq!(client.response.headers()["sec-websocket-protocol"], "b");
    world.finish().await;
}
