//! Subprotocols: the client offers, the function chooses, the gateway announces.

use http::HeaderValue;
use serde_json::{Value, json};

use crate::support::{
    backend::Reply,
    client::{Client, request},
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

async fn raw_handshake(world: &World, offered: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(world.listeners.public).await.unwrap();
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
    world.finish().await;
}
