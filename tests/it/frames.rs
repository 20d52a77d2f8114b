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
    check_text(&answer);
    drop(raw);
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), reason, "{bytes:x?}");
    assert_eq!(cleanup.websocket("closeCode"), code.to_string(), "{bytes:x?}");
    assert!(!world.backend.was_called("transmit").await);
    world.finish().await;
}

/// Each Close of the gateway says in a short text why.
fn check_text(close: &[u8]) {
    let text = std::str::from_utf8(&close[4..]).unwrap();
    assert_eq!(close.len(), 2 + usize::from(close[1]), "{close:x?}");
    let is_short_text = !text.is_empty() && text.len() < 100 && !text.ends_with('.');
    assert!(is_short_text && text.starts_with(char::is_lowercase), "{text:?}");
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

/// A library that sends such a code by default ends in the same way as a lost network, since no
/// client may say that it closes so (section 7.4).
#[tokio::test]
async fn a_close_code_that_nobody_may_send_is_a_lost_connection() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 2000, 5000_u16] {
        check(&frame(0x88, &code.to_be_bytes()), 1002, "lost").await;
    }
    // A code that is cut off, and a text that is not UTF-8.
    check(&frame(0x88, &[3]), 1002, "lost").await;
    check(&frame(0x88, b"\x03\xe8\xff"), 1007, "lost").await;
}

/// 1014 is registered with IANA.
#[tokio::test]
async fn a_close_code_that_may_be_sent_is_echoed_and_told_to_cleanup() {
    for code in [1000, 1001, 1008, 1011, 1012, 1013, 1014, 3000, 4999_u16] {
        let world = World::start().await;
        let (client, _) = world.client().await;
        let mut raw = client.into_raw();
        raw.write_all(&frame(0x88, &code.to_be_bytes())).await.unwrap();
        let mut answer = Vec::new();
        soon("the end", raw.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(answer, [&[0x88, 2], &code.to_be_bytes()[..]].concat());
        let cleanup = world.backend.next("cleanup").await;
        assert_eq!(cleanup.websocket("closeReason"), "client");
        assert_eq!(cleanup.websocket("closeCode"), code.to_string());
        world.finish().await;
    }
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
