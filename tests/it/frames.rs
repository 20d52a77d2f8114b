//! Wrong frames, fragments, and pings of the client (RFC 6455).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{soon, world::World};

/// Sends raw bytes after the handshake. Checks the code of the Close that answers them, and the
/// `closeReason` of the cleanup event.
async fn check(bytes: &[u8], code: u16, reason: &str) {
    let world = World::start().await;
    let (client, _) = world.client().await;
    let mut raw = client.into_raw();
    raw.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    soon("the end", raw.read_to_end(&mut answer)).await.unwrap();
    let [0x88, length, high, low, ..] = answer[..] else { panic!("{answer:x?}") };
    assert!(length >= 2);
    assert_eq!(u16::from_be_bytes([high, low]), code, "{bytes:x?}");
    drop(raw);
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), reason, "{bytes:x?}");
    assert_eq!(cleanup.websocket("closeCode"), code.to_string(), "{bytes:x?}");
    assert!(!world.backend.was_called("transmit").await);
    world.finish().await;
}

/// A masked frame with the mask 0, which leaves the payload as it is.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

#[tokio::test]
async fn frames_that_break_the_protocol_are_answered_with_the_right_code() {
    // Not masked (section 5.1).
    check(&[0x81, 0x01, b'x'], 1002, "lost").await;
    // A reserved bit without an extension (5.2).
    check(&frame(0xc1, b"x"), 1002, "lost").await;
    // A reserved opcode (5.2).
    check(&frame(0x83, b"x"), 1002, "lost").await;
    check(&frame(0x8b, b"x"), 1002, "lost").await;
    // A fragmented control frame (5.5).
    check(&frame(0x09, b"x"), 1002, "lost").await;
    // A continuation frame without a first frame (5.4).
    check(&frame(0x80, b"x"), 1002, "lost").await;
    // Text that is not UTF-8 (8.1).
    check(&frame(0x81, &[0xff, 0xfe]), 1007, "lost").await;
    // A length above the limit, without the payload.
    check(&[0x82, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009, "limit").await;
}

#[tokio::test]
async fn fragments_are_joined_before_the_function_sees_them() {
    let world = World::start().await;
    let (client, _) = world.client().await;
    let mut raw = client.into_raw();
    let pieces = [frame(0x01, b"one "), frame(0x89, b"ping"), frame(0x80, b"two")].concat();
    raw.write_all(&pieces).await.unwrap();
    assert_eq!(world.backend.next("transmit").await.data(), "one two");
    let mut pong = [0; 6];
    soon("a pong", raw.read_exact(&mut pong)).await.unwrap();
    assert_eq!(&pong, b"\x8a\x04ping");
    drop(raw);
    world.finish().await;
}

#[tokio::test]
async fn a_ping_of_the_client_is_answered_while_its_function_runs() {
    let world = World::start().await;
    let gate = world.backend.hold("transmit");
    let (mut client, _) = world.client().await;
    client.send("slow").await;
    world.backend.next("transmit").await;
    client.send(Message::Ping("are you there".into())).await;
    let pong = soon("a pong", futures_util::StreamExt::next(&mut client.socket)).await;
    assert_eq!(pong.unwrap().unwrap(), Message::Pong("are you there".into()));
    gate.notify_one();
    world.finish().await;
}

#[tokio::test]
async fn a_client_that_sends_garbage_does_not_affect_others() {
    let world = World::start().await;
    let (mut good, _) = world.client().await;
    let (bad, _) = world.client().await;
    let mut raw = bad.into_raw();
    raw.write_all(&[0xff; 1000]).await.unwrap();
    let mut answer = Vec::new();
    let _ = soon("the end", raw.read_to_end(&mut answer)).await;
    good.send("fine").await;
    assert_eq!(world.backend.next("transmit").await.data(), "fine");
    world.finish().await;
}
