//! Connecting: the event of the register function, and all refusals.

use http::HeaderValue;
use serde_json::{Value, json};

use crate::support::{
    backend::Reply,
    client::{Client, Refused, request},
    world::{PATH, World},
};

fn message(refused: &Refused) -> String {
    let body: Value = serde_json::from_slice(refused.body()).unwrap();
    body["message"].as_str().unwrap().to_owned()
}

async fn refused(world: &World) -> (u16, String) {
    let refused = Client::connect(world.listeners.public, PATH).await.err().expect("a refusal");
    (refused.status().as_u16(), message(&refused))
}

#[tokio::test]
async fn register_gets_the_documented_event() {
    let world = World::start().await;
    let mut request = request(world.listeners.public, &format!("{PATH}?name=J%C3%BCrgen&x=1"));
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", HeaderValue::from_static("chat,binary"));
    headers.insert("sec-websocket-extensions", HeaderValue::from_static("extension1"));
    headers.insert("x-own", HeaderValue::from_static("value"));
    headers.insert(
        "traceparent",
        HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    );
    let reply = json!({ "errNo": 0, "websocket": { "secWebSocketProtocol": "chat" } });
    world.backend.always("register", Reply::json(&reply));
    let _client = Client::connect_with(request).await.unwrap();

    let call = world.backend.next("register").await;
    let event = &call.event;
    assert_eq!(
        call.headers["traceparent"],
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    );
    assert_eq!(
        call.headers["x-scf-request-id"],
        event["requestContext"]["requestId"].as_str().unwrap()
    );
    assert_eq!(call.id().len(), 28);
    assert_eq!(
        event["websocket"],
        json!({
            "action": "connecting", "secConnectionID": call.id(),
            "secWebSocketProtocol": "chat,binary", "secWebSocketExtensions": "extension1",
        })
    );
    let context = &event["requestContext"];
    for (field, value) in [
        ("serviceId", json!("api-test")),
        ("serviceName", json!("api-test")),
        ("path", json!(PATH)),
        ("httpMethod", json!("GET")),
        ("identity", json!({})),
        ("sourceIp", json!("127.0.0.1")),
        ("stage", json!("release")),
        ("websocketEnable", json!(true)),
    ] {
        assert_eq!(context[field], value, "{field}");
    }
    assert_eq!(event["headers"]["x-own"], "value");
    assert_eq!(event["headerParameters"]["x-own"], "value");
    assert_eq!(event["path"], PATH);
    assert_eq!(event["httpMethod"], "GET");
    assert_eq!(event["queryString"], json!({ "name": "Jürgen", "x": "1" }));
    assert_eq!(event["queryStringParameters"], event["queryString"]);
    assert_eq!(event["pathParameters"], json!({}));
    assert_eq!(event["stageVariables"], json!({ "stage": "release" }));
    world.finish().await;
}

/// RFC 6265 section 5.4 and RFC 9110 section 5.3.
#[tokio::test]
async fn cookies_of_several_lines_are_joined_as_cookies_and_other_headers_as_lists() {
    let world = World::start().await;
    let mut request = request(world.listeners.public, PATH);
    for (name, value) in
        [("cookie", "a=1; b=2"), ("x-own", "1"), ("Cookie", "c=3"), ("x-own", "2"), ("cookie", "d")]
    {
        request
            .headers_mut()
            .append(http::HeaderName::try_from(name).unwrap(), HeaderValue::from_static(value));
    }
    let _client = Client::connect_with(request).await.unwrap();
    let event = world.backend.next("register").await.event;
    for headers in ["headers", "headerParameters"] {
        assert_eq!(event[headers]["cookie"], "a=1; b=2; c=3; d");
        assert_eq!(event[headers]["x-own"], "1, 2");
    }
    world.finish().await;
}

#[tokio::test]
async fn without_a_register_function_everybody_is_accepted() {
    let backend = crate::support::backend::Backend::start().await;
    let world = World::launch(
        backend,
        r#"
        listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }
        api = [{ id = "api-test", path = "/release/test", transmit = "BACKEND/transmit" }]
        "#,
    )
    .await;
    let mut client = world.connect().await;
    client.send("hello").await;
    assert_eq!(world.backend.next("transmit").await.data(), "hello");
    world.finish().await;
}

#[tokio::test]
async fn the_handshake_is_held_until_register_has_answered() {
    let world = World::start().await;
    let gate = world.backend.hold("register");
    let mut connecting = Box::pin(world.connect());
    tokio::select! {
        biased;
        _ = &mut connecting => panic!("connected before register had answered"),
        _ = world.backend.next("register") => {}
    }
    gate.notify_one();
    connecting.await;
    world.finish().await;
}

#[tokio::test]
async fn a_refusal_by_the_function_is_403_with_its_message_and_owes_no_cleanup() {
    let world = World::start().await;
    world.backend.always("register", Reply::json(&json!({ "errNo": 7, "errMsg": "not you" })));
    assert_eq!(refused(&world).await, (403, "not you".to_owned()));
    let cleanups = world.backend.clone();
    world.finish().await;
    assert!(!cleanups.was_called("cleanup").await);
}

/// Checks the status of the handshake, and whether a cleanup is owed, for a reply of register.
async fn check_answer(reply: Reply, expected: u16, owed: bool) {
    let world = World::start().await;
    world.backend.always("register", reply.clone());
    let (status, message) = refused(&world).await;
    assert_eq!(status, expected, "{reply:?}: {message}");
    let backend = world.backend.clone();
    world.finish().await;
    assert_eq!(backend.was_called("cleanup").await, owed, "{reply:?}");
}

#[tokio::test]
async fn the_reply_of_register_decides_the_refusal_and_whether_a_cleanup_is_owed() {
    check_answer(Reply::json(&json!(null)), 403, true).await;
    check_answer(Reply::json(&json!(false)), 403, true).await;
    check_answer(Reply::json(&json!("go away")), 403, true).await;
    check_answer(Reply::json(&json!(r#"{"errNo":1,"errMsg":"no"}"#)), 403, false).await;
    check_answer(Reply::json(&json!({ "hello": 1 })), 502, true).await;
    check_answer(Reply::json(&json!([1])), 502, true).await;
    check_answer(Reply { status: 200, body: b"not json".to_vec() }, 502, true).await;
    check_answer(Reply { status: 302, ..Reply::ok() }, 502, true).await;
    check_answer(Reply { status: 200, body: Vec::new() }, 502, true).await;
    check_answer(Reply { status: 204, body: Vec::new() }, 502, true).await;
    let no = Reply::json(&json!({ "errNo": 7, "errMsg": "not you" }));
    check_answer(Reply { status: 202, ..no }, 403, false).await;
    check_answer(Reply::status(430), 502, true).await;
    check_answer(Reply::status(433), 504, true).await;
    check_answer(Reply::status(435), 502, true).await;
    check_answer(Reply::status(500), 502, true).await;
}

/// A web service may say success in another way than with 200.
#[tokio::test]
async fn register_accepts_with_its_json_whatever_success_it_comes_with() {
    let world = World::start().await;
    for status in [201, 202, 203, 206] {
        world.backend.always("register", Reply { status, ..Reply::ok() });
        let (mut client, _) = world.client().await;
        client.send("hi").await;
        assert_eq!(world.backend.next("transmit").await.data(), "hi");
    }
    world.finish().await;
}

#[tokio::test]
async fn an_accepting_answer_may_be_a_json_string() {
    let world = World::start().await;
    world.backend.always("register", Reply::json(&json!(r#"{"errNo":0,"errMsg":"ok"}"#)));
    let (_client, _) = world.client().await;
    world.finish().await;
}

#[tokio::test]
async fn a_register_that_takes_too_long_is_504_and_owes_a_cleanup() {
    let world = World::with("timeout = '100ms'\nfunction_timeout = '1s'", "").await;
    let gate = world.backend.hold("register");
    let (status, _) = refused(&world).await;
    assert_eq!(status, 504);
    // The cleanup must not be called before register has ended.
    assert!(!world.backend.was_called("cleanup").await);
    gate.notify_one();
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "unregistered");
    world.finish().await;
}

#[tokio::test]
async fn a_register_that_never_ran_is_503_with_retry_after_and_owes_nothing() {
    for status in [429, 432, 503] {
        let world = World::with("timeout = '500ms'", "").await;
        world.backend.always("register", Reply::status(status));
        let refused = Client::connect(world.listeners.public, PATH).await.err().unwrap();
        assert_eq!(refused.status(), 503, "{status}");
        assert!(refused.headers().contains_key("retry-after"));
        let backend = world.backend.clone();
        world.finish().await;
        assert!(!backend.was_called("cleanup").await, "{status}");
    }
}

#[tokio::test]
async fn a_register_that_did_not_run_is_repeated_until_it_does() {
    let world = World::start().await;
    let attempts = std::sync::atomic::AtomicUsize::new(0);
    world.backend.on("register", move |_| {
        let attempt = attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async move { if attempt < 2 { Reply::status(432) } else { Reply::ok() } }
    });
    let _client = world.connect().await;
    world.finish().await;
}

#[tokio::test]
async fn a_client_beyond_the_limit_gets_retry_after_and_can_connect_later() {
    let world = World::with("", "[connection]\nmax = 1").await;
    let (client, _) = world.client().await;
    let refused = Client::connect(world.listeners.public, PATH).await.err().unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");
    client.close(1000.into()).await;
    world.backend.next("cleanup").await;
    // The permit is free once the connection's task has ended, shortly after the cleanup call.
    while let Err(refused) = Client::connect(world.listeners.public, PATH).await {
        assert_eq!(refused.status(), 503);
    }
    world.finish().await;
}

#[tokio::test]
async fn the_answer_to_a_request_that_is_no_handshake_says_what_is_missing() {
    let world = World::start().await;
    let url = format!("http://{}", world.listeners.public);
    let get = |path: &str| crate::support::access::get(format!("{url}{path}"));
    let response = get(PATH).await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(response.text().await.unwrap(), r#"{"message":"need header Sec-WebSocket-Key."}"#);
    let response = get("/nobody").await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"message":"There is no api match uri[/nobody]"}"#
    );
    world.finish().await;
}
