//! A function closes a connection by pushing `closing`, or the client closes it.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    backend::Reply,
    soon,
    world::{World, closing, data_send},
};

#[tokio::test]
async fn closing_closes_with_1000_and_can_be_pushed_twice() {
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    // Existing Go code also sends dataType and data.
    let mut body = closing(register.id());
    body["websocket"]["dataType"] = json!("text");
    body["websocket"]["data"] = json!("ignored");
    assert_eq!(world.push(body).await, (200, json!({ "errNo": 0, "errMsg": "ok" })));
    let (status, answer) = world.push(closing(register.id())).await;
    assert_eq!(status, 200);
    assert!([0, 410].contains(&answer["errNo"].as_u64().unwrap()), "{answer}");
    assert_eq!(client.closed().await, 1000);
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "server");
    assert_eq!(cleanup.websocket("closeCode"), "1000");
    assert_eq!(world.push(closing(register.id())).await.1["errNo"], 410);
    world.finish().await;
}

#[tokio::test]
async fn messages_pushed_before_closing_arrive_and_later_ones_do_not() {
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    assert_eq!(world.push_text(register.id(), "goodbye").await, 0);
    world.push(closing(register.id())).await;
    let (_, answer) = world.push(data_send(register.id(), "too late")).await;
    assert_eq!(answer["errNo"], 410);
    assert_eq!(client.receive_text().await, "goodbye");
    assert_eq!(client.closed().await, 1000);
    world.finish().await;
}

#[tokio::test]
async fn a_cleanup_function_may_push_closing_for_its_own_connection() {
    let world = World::start().await;
    let listeners = world.listeners;
    world.backend.on("cleanup", move |call| async move {
        let url = format!("http://{}/api-test", listeners.internal);
        let body = closing(call.id()).to_string();
        let answer = crate::support::access::operator().post(url).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["errNo"], 410);
        Reply::ok()
    });
    let (client, _) = world.client().await;
    client.close(1000.into()).await;
    world.backend.next("cleanup").await;
    world.finish().await;
}

#[tokio::test]
async fn closing_while_register_runs_closes_right_after_the_101() {
    let world = World::start().await;
    let listeners = world.listeners;
    world.backend.on("register", move |call| async move {
        let url = format!("http://{}/api-test", listeners.internal);
        let http = crate::support::access::operator();
        for body in [data_send(call.id(), "sorry"), closing(call.id())] {
            let answer = http.post(&url).body(body.to_string()).send().await.unwrap();
            assert_eq!(answer.status(), 200);
        }
        Reply::ok()
    });
    let mut client = world.connect().await;
    assert_eq!(client.receive_text().await, "sorry");
    assert_eq!(client.closed().await, 1000);
    world.finish().await;
}

/// A push of 1 MB is being written when the client closes. What the client still sends cuts off
/// neither the frame nor the Close: the system would send a reset for it.
#[tokio::test]
async fn a_client_that_sends_after_its_close_gets_the_whole_frame_and_the_close() {
    const BYTES: usize = 1_000_000;
    let world = World::start().await;
    for opcode in [0x81, 0x89, 0x8a] {
        // The rest of the push waits in the buffers of the gateway's side.
        let (client, register) = world.small_client().await;
        let mut raw = client.into_raw();
        let big = "x".repeat(BYTES);
        let reading = async {
            let (mut bytes, mut chunk) = (vec![0], vec![0; 16 << 10]);
            raw.read_exact(&mut bytes).await.unwrap();
            raw.write_all(b"\x88\x82\0\0\0\0\x03\xe8").await.unwrap();
            loop {
                let count = soon("bytes", raw.read(&mut chunk)).await.unwrap();
                if count == 0 {
                    return bytes;
                }
                bytes.extend_from_slice(&chunk[..count]);
                raw.write_all(&[opcode, 0x81, 0, 0, 0, 0, b'x']).await.unwrap();
            }
        };
        let (bytes, errno) = tokio::join!(reading, world.push_text(register.id(), &big));
        assert_eq!(errno, 0);
        assert_eq!(bytes.len(), 10 + BYTES + 4);
        assert_eq!(bytes[10 + BYTES..], *b"\x88\x02\x03\xe8");
        let cleanup = world.backend.next("cleanup").await;
        assert_eq!(cleanup.websocket("closeReason"), "client");
        assert_eq!(cleanup.websocket("closeCode"), "1000");
    }
    world.finish().await;
}
