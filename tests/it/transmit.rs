//! Messages of the client: the event of the transmit function, and what its failures mean for the
//! connection.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{backend::Reply, world::World};

#[tokio::test]
async fn transmit_gets_the_documented_event() {
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    client.send("grüß \"dich\" 👋\n").await;
    let call = world.backend.next("transmit").await;
    assert_eq!(
        call.event,
        json!({ "websocket": {
            "action": "data send", "secConnectionID": register.id(),
            "dataType": "text", "data": "grüß \"dich\" 👋\n",
        } })
    );
    assert_eq!(call.headers["content-type"], "application/json");
    assert!(call.headers.contains_key("x-scf-request-id"));
    world.finish().await;
}

#[tokio::test]
async fn binary_messages_are_base64_and_empty_messages_are_forwarded_too() {
    let world = World::start().await;
    let (mut client, _) = world.client().await;
    let bytes: Vec<u8> = (0..=255).collect();
    client.send(bytes.clone()).await;
    let call = world.backend.next("transmit").await;
    assert_eq!(call.websocket("dataType"), "binary");
    assert_eq!(STANDARD.decode(call.data()).unwrap(), bytes);
    client.send("").await;
    let call = world.backend.next("transmit").await;
    assert_eq!((call.websocket("dataType"), call.data()), ("text", ""));
    client.send(Message::Binary(Vec::new().into())).await;
    let call = world.backend.next("transmit").await;
    assert_eq!((call.websocket("dataType"), call.data()), ("binary", ""));
    world.finish().await;
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_passes_and_one_byte_more_is_closed_1009() {
    let world = World::start().await;
    let (mut client, _) = world.client().await;
    client.send("x".repeat(1 << 20)).await;
    assert_eq!(world.backend.next("transmit").await.data().len(), 1 << 20);
    client.send("x".repeat((1 << 20) + 1)).await;
    assert_eq!(client.closed().await, 1009);
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "limit");
    assert_eq!(cleanup.websocket("closeCode"), "1009");
    world.finish().await;
}

/// A web service has nothing to say of a message, and no body.
#[tokio::test]
async fn any_success_of_transmit_and_cleanup_is_one() {
    let world = World::start().await;
    let empty = |status| Reply { status, body: Vec::new() };
    for status in [204, 201, 202, 200] {
        world.backend.always("transmit", empty(status));
        world.backend.always("cleanup", empty(status));
        let (mut client, _) = world.client().await;
        for _ in 0..2 {
            client.send(status.to_string()).await;
            assert_eq!(world.backend.next("transmit").await.data(), status.to_string());
        }
        client.close(1000.into()).await;
        let cleanup = world.backend.next("cleanup").await;
        assert_eq!(cleanup.websocket("closeReason"), "client");
        assert_eq!(cleanup.headers["x-longhold-attempt"], "1");
    }
    let backend = world.backend.clone();
    world.finish().await;
    assert!(!backend.was_called("cleanup").await, "a cleanup was repeated");
}

#[tokio::test]
async fn the_connection_stays_open_if_the_function_ran_and_failed() {
    let world = World::start().await;
    let (mut client, _) = world.client().await;
    for status in [407, 430, 433, 434, 439] {
        world.backend.always("transmit", Reply::status(status));
        client.send(status.to_string()).await;
        assert_eq!(world.backend.next("transmit").await.data(), status.to_string());
    }
    world.backend.always("transmit", Reply::ok());
    client.send("still here").await;
    assert_eq!(world.backend.next("transmit").await.data(), "still here");
    world.finish().await;
}

#[tokio::test]
async fn a_system_fault_closes_1011_and_later_messages_are_dropped() {
    for status in [500, 502, 400, 404, 435, 443] {
        // 502 may come from a proxy, while the function still runs.
        let world = World::with("function_timeout = '1s'", "").await;
        let (mut client, _) = world.client().await;
        world.backend.always("transmit", Reply::status(status));
        client.send("one").await;
        client.send("two").await;
        assert_eq!(client.closed().await, 1011, "{status}");
        assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "fault");
        assert_eq!(world.backend.next("transmit").await.data(), "one");
        assert!(!world.backend.was_called("transmit").await);
        world.finish().await;
    }
}

#[tokio::test]
async fn a_function_that_does_not_answer_in_time_is_a_system_fault() {
    let world = World::with("timeout = '100ms'\nfunction_timeout = '1s'", "").await;
    let (mut client, _) = world.client().await;
    world.backend.on("transmit", |_| async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        Reply::ok()
    });
    client.send("one").await;
    assert_eq!(client.closed().await, 1011);
    // The function goes on. The oracle checks that the cleanup waits for its end.
    world.backend.next("cleanup").await;
    world.finish().await;
}

#[tokio::test]
async fn a_message_that_is_too_large_for_the_function_closes_1009() {
    let world = World::start().await;
    let (mut client, _) = world.client().await;
    world.backend.always("transmit", Reply::status(406));
    client.send("too large").await;
    assert_eq!(client.closed().await, 1009);
    assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "limit");
    world.finish().await;
}

#[tokio::test]
async fn a_function_without_a_listener_is_called_until_the_timeout() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        [[api]]
        id = "api-test"
        path = "/release/test"
        register = "BACKEND/register"
        transmit = "http://{closed}/"
        cleanup = "BACKEND/cleanup"
        timeout = "200ms"
        "#
    );
    let world = World::launch(crate::support::backend::Backend::start().await, &settings).await;
    let (mut client, _) = world.client().await;
    client.send("one").await;
    assert_eq!(client.closed().await, 1011);
    assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "fault");
    world.finish().await;
}

/// The client has closed while messages are queued. The cleanup function learns that they were
/// lost.
#[tokio::test]
async fn a_fault_after_the_client_has_closed_is_the_reason_of_the_cleanup() {
    let world = World::start().await;
    let gate = Arc::new(tokio::sync::Notify::new());
    let opened = Arc::clone(&gate);
    world.backend.on("transmit", move |_| {
        let gate = Arc::clone(&opened);
        async move {
            gate.notified().await;
            Reply::status(500)
        }
    });
    let (mut client, _) = world.client().await;
    for number in 0..5 {
        client.send(number.to_string()).await;
    }
    client.close(1000.into()).await;
    gate.notify_one();
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "fault");
    assert_eq!(cleanup.websocket("closeCode"), "1000");
    world.finish().await;
}

#[tokio::test]
async fn a_call_that_did_not_run_is_repeated_before_the_next_message() {
    for status in [429, 432, 503] {
        let world = World::start().await;
        let (mut client, _) = world.client().await;
        let attempts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&attempts);
        world.backend.on("transmit", move |_| {
            let attempt = counted.fetch_add(1, Ordering::Relaxed);
            async move { if attempt < 3 { Reply::status(status) } else { Reply::ok() } }
        });
        client.send("one").await;
        client.send("two").await;
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.push(world.backend.next("transmit").await.data().to_owned());
        }
        assert_eq!(seen, ["one", "one", "one", "one", "two"], "{status}");
        world.finish().await;
    }
}

#[tokio::test]
async fn a_function_that_cannot_be_reached_until_the_timeout_closes_1011() {
    // The last attempt may still run when the time is over. Then the cleanup waits for it.
    let world = World::with("timeout = '100ms'\nfunction_timeout = '1s'", "").await;
    let (mut client, _) = world.client().await;
    world.backend.always("transmit", Reply::status(503));
    client.send("one").await;
    assert_eq!(client.closed().await, 1011);
    world.backend.next("cleanup").await;
    world.finish().await;
}

#[tokio::test]
async fn the_reply_is_sent_to_the_sender_if_the_api_has_reply_true() {
    for (api, expected) in [("reply = true", "pushed"), ("", "later")] {
        let world = World::with(api, "").await;
        let (mut client, register) = world.client().await;
        let reply = crate::support::world::data_send(register.id(), "pushed");
        world.backend.always("transmit", Reply::json(&reply));
        client.send("one").await;
        world.backend.next("transmit").await;
        if api.is_empty() {
            assert_eq!(world.push_text(register.id(), "later").await, 0);
        }
        assert_eq!(client.receive_text().await, expected);
        world.finish().await;
    }
}
