//! Bad input on every route: the answer is clear and always JSON, and other clients are not
//! affected.

use serde_json::Value;

use crate::support::{
    client::exchange,
    world::{PATH, World},
};

#[tokio::test]
async fn malformed_pushes_are_answered_400_and_the_answer_says_what_is_wrong() {
    let world = World::start().await;
    for body in [
        "",
        "{",
        "null",
        "[]",
        "5",
        "\"text\"",
        "{}",
        r#"{"websocket":null}"#,
        r#"{"websocket":5}"#,
        r#"{"websocket":"x"}"#,
        r#"{"websocket":{}}"#,
        r#"{"websocket":{"action":"data send"}}"#,
        r#"{"websocket":{"action":"data send","secConnectionID":5,"data":"x"}}"#,
        r#"{"websocket":{"action":5,"secConnectionID":"x"}}"#,
        r#"{"websocket":{"action":"closing","secConnectionIDs":"x"}}"#,
        r#"{"websocket":{"action":"closing","secConnectionIDs":["x"],"secConnectionID":"x"}}"#,
        r#"{"websocket":[5]}"#,
        r#"{"websocket":[{"action":"closing","secConnectionID":"x"},{}]}"#,
        r#"{"websocket":{"action":"closing","secConnectionID":"x"}} trailing"#,
        "{\"websocket\":{\"action\":\"closing\",\"secConnectionID\":\"\u{0}\"}}",
    ] {
        let (status, answer) = world.push_bytes("api-test", body).await;
        assert_eq!((status, answer["errNo"].as_u64()), (400, Some(400)), "{body}: {answer}");
        assert!(answer["errMsg"].as_str().unwrap().contains("websocket"), "{body}: {answer}");
    }
    let (status, answer) = world.push_bytes("api-test", [0xff, 0xfe]).await;
    assert_eq!((status, answer["errNo"].as_u64()), (400, Some(400)));
    world.finish().await;
}

#[tokio::test]
async fn a_push_body_beyond_the_limit_is_413() {
    let world = World::with("max_message = 10", "[push]\nmax_body = 2000").await;
    let (status, answer) = world.push_bytes("api-test", "x".repeat(2001)).await;
    assert_eq!((status, answer["errNo"].as_u64()), (413, Some(413)));
    world.finish().await;
}

/// Checks the status of the answer to a raw request to the public listener. Returns the answer.
async fn check(world: &World, request: &str, status: u16) -> String {
    let request = request.replace("PATH", PATH).replace('\n', "\r\n");
    let answer = exchange(world.listeners.public, request.as_bytes()).await;
    let line = answer.split_once(' ').unwrap_or_default().1;
    assert!(line.starts_with(&status.to_string()), "{request}: {answer}");
    if let Some((_, body)) = answer.split_once("\r\n\r\n").filter(|(_, body)| !body.is_empty()) {
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(body["message"].is_string(), "{request}: {body}");
    }
    answer
}

#[tokio::test]
async fn the_answer_to_a_malformed_handshake_says_what_is_wrong() {
    const HEAD: &str =
        "GET PATH HTTP/1.1\nHost: localhost\nConnection: close, Upgrade\nUpgrade: websocket\n";
    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";
    const VERSION: &str = "Sec-WebSocket-Version: 13\n";
    let world = World::start().await;
    let without = |what: &str| format!("{HEAD}{KEY}{VERSION}\n").replace(what, "");
    check(&world, &without(KEY), 403).await;
    check(&world, &without(VERSION), 426).await;
    check(&world, &without("Upgrade: websocket\n"), 400).await;
    check(&world, &without(", Upgrade"), 400).await;
    check(&world, &without("dGhl"), 400).await;
    check(&world, &without("=="), 400).await;
    check(&world, &format!("{HEAD}{KEY}Sec-WebSocket-Version: 8\n\n"), 426).await;
    check(&world, &without("").replace("GET", "POST"), 400).await;
    check(&world, &without("").replace("HTTP/1.1", "HTTP/1.0"), 400).await;
    check(&world, &without("").replace("PATH", "/nobody"), 404).await;
    check(&world, "nonsense\n\n", 400).await;
    check(&world, "GET PATH HTTP/1.1\nbad header\n\n", 400).await;
    check(&world, &format!("GET PATH HTTP/1.1\nHost: {}\n\n", "x".repeat(1 << 20)), 431).await;
    // RFC 6455 requires these headers exactly once. The answer names the header.
    for (header, line) in [
        ("Host", "Host: localhost\n"),
        ("Sec-WebSocket-Key", KEY),
        ("Sec-WebSocket-Version", VERSION),
    ] {
        let twice = without("").replace(line, &line.repeat(2));
        assert!(check(&world, &twice, 400).await.contains(header), "{header}");
    }
    assert!(check(&world, &without("Host: localhost\n"), 400).await.contains("Host"));
    // A correct client is still served.
    let (mut client, _) = world.client().await;
    client.send("fine").await;
    assert_eq!(world.backend.next("transmit").await.data(), "fine");
    world.finish().await;
}
