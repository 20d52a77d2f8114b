//! The socket over streams in memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod apart;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self,
        protocol::{
            Role,
            frame::coding::{CloseCode, Data, OpCode},
        },
    },
};

use super::*;
use crate::connection::testing::{HandStream, client_frame, close_bytes, poll_once};

const MESSAGE_BYTES_MAX: usize = 1 << 20;

fn socket(sent: &[u8]) -> Socket<HandStream> {
    Socket::new(HandStream::with_room(), sent.to_vec(), MESSAGE_BYTES_MAX)
}

/// The next event, if there is one now.
fn event(socket: &mut Socket<HandStream>) -> Option<SocketEvent> {
    match poll_once(|cx| socket.poll_next(cx, Some(usize::MAX))) {
        Poll::Ready(event) => Some(event),
        Poll::Pending => None,
    }
}

fn text(text: &str) -> Frame {
    Message::Text(text.into()).into()
}

/// Sends every message back until the client closes.
async fn echo(stream: DuplexStream) -> End {
    let mut socket = Socket::new(stream, Vec::new(), MESSAGE_BYTES_MAX);
    let mut closed = None;
    loop {
        match socket.next(Some(usize::MAX)).await {
            SocketEvent::Message(message) => assert!(socket.write(message.into())),
            SocketEvent::Heard
            | SocketEvent::NeedsMemory { .. }
            | SocketEvent::Taken
            | SocketEvent::Flushed { .. } => {}
            SocketEvent::Closing(end) => closed = Some(end),
            SocketEvent::Violated(violation) => panic!("{violation}"),
            SocketEvent::Ended => return closed.unwrap(),
        }
    }
}

/// The pipe holds one byte in each direction.
#[tokio::test(start_paused = true)]
async fn a_conversation_one_byte_at_a_time() {
    use tungstenite::Message as Theirs;
    let (server, client) = duplex(1);
    let echo = tokio::spawn(echo(server));
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    for message in [
        Theirs::text(""),
        Theirs::text("grüße"),
        Theirs::binary(vec![7; 126]),
        Theirs::binary(vec![7; 5_000]),
    ] {
        client.send(message.clone()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), message);
    }
    // A message in fragments that end within a character, and a ping between them.
    let opcodes = [Data::Text, Data::Continue, Data::Continue].map(OpCode::Data);
    for (index, (opcode, byte)) in opcodes.into_iter().zip("€".bytes()).enumerate() {
        let fragment = tungstenite::protocol::frame::Frame::message(vec![byte], opcode, index == 2);
        client.send(Theirs::Frame(fragment)).await.unwrap();
        if index < 2 {
            let ping = vec![b'0' + index as u8];
            client.send(Theirs::Ping(ping.clone().into())).await.unwrap();
            assert_eq!(client.next().await.unwrap().unwrap(), Theirs::Pong(ping.into()));
        }
    }
    assert_eq!(client.next().await.unwrap().unwrap(), Theirs::text("€"));
    let close = CloseFrame { code: CloseCode::Library(4000), reason: "done".into() };
    client.send(Theirs::Close(Some(close.clone()))).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Theirs::Close(Some(close)));
    let end = End::of(Some(CloseCode::Library(4000)), EndReason::Client);
    assert_eq!(echo.await.unwrap(), end);
    assert!(client.next().await.is_none());
}

#[test]
fn early_bytes_are_the_first_to_be_decoded() {
    let (first, second) = (client_frame(1, true, b"first"), client_frame(1, true, b"second"));
    let mut socket = socket(&[&first[..], &second[..3]].concat());
    socket.stream().sent.extend(&second[3..]);
    for expected in ["first", "second"] {
        let Some(SocketEvent::Message(message)) = event(&mut socket) else { panic!("no message") };
        assert_eq!(message, Message::Text(expected.into()));
    }
    assert_eq!(socket.bytes_read(), (first.len() + second.len()) as u64);
    assert!(event(&mut socket).is_none());
}

#[test]
fn a_socket_that_does_not_read_leaves_the_bytes_to_the_system() {
    let mut socket = socket(b"");
    socket.stream().sent.extend(client_frame(1, true, b"message"));
    assert!(poll_once(|cx| socket.poll_next(cx, None)).is_pending());
    assert_eq!(socket.bytes_read(), 0);
    assert!(matches!(event(&mut socket), Some(SocketEvent::Message(_))));
}

#[test]
fn a_flush_says_whether_it_waited_for_the_client() {
    let mut socket = socket(b"");
    assert!(socket.write(text("one")));
    assert!(socket.is_flushing());
    assert!(matches!(event(&mut socket), Some(SocketEvent::Flushed { waited: false })));
    assert!(!socket.is_flushing());
    socket.stream().room = 1;
    assert!(socket.write(text("two")));
    assert!(event(&mut socket).is_none());
    assert!(socket.is_flushing());
    socket.stream().room = 9;
    assert!(matches!(event(&mut socket), Some(SocketEvent::Flushed { waited: true })));
    assert_eq!(socket.stream().taken, b"\x81\x03one\x81\x03two");
}

/// While nothing can be written, pings must not fill a queue.
#[test]
fn the_last_ping_is_answered_when_the_client_reads_again() {
    let mut socket = socket(b"");
    socket.stream().room = 2;
    assert!(socket.write(text("hi")));
    for number in 0..100 {
        socket.stream().sent.extend(client_frame(9, true, &[number]));
        assert!(matches!(event(&mut socket), Some(SocketEvent::Heard)));
    }
    assert!(event(&mut socket).is_none());
    socket.stream().room = 100;
    assert!(matches!(event(&mut socket), Some(SocketEvent::Flushed { waited: true })));
    assert_eq!(socket.stream().taken, b"\x81\x02hi\x8a\x01\x63");
    assert!(event(&mut socket).is_none());
}

#[test]
fn nothing_is_written_after_a_close() {
    let mut socket = socket(&client_frame(9, true, b"before"));
    assert!(matches!(event(&mut socket), Some(SocketEvent::Heard)));
    socket.close(End::IDLE);
    socket.close(End::FAULT);
    assert!(!socket.write(text("after")));
    socket.ping();
    socket.stream().sent.extend(client_frame(9, true, b"after"));
    socket.stream().sent.extend(client_frame(1, true, b"crossed"));
    assert!(matches!(event(&mut socket), Some(SocketEvent::Flushed { .. })));
    assert!(matches!(event(&mut socket), Some(SocketEvent::Heard)));
    assert!(matches!(event(&mut socket), Some(SocketEvent::Message(_))), "it is still read");
    assert!(event(&mut socket).is_none());
    socket.stream().sent.extend(client_frame(8, true, b"\x03\xe9"));
    assert!(matches!(event(&mut socket), Some(SocketEvent::Closing(_))));
    assert!(matches!(event(&mut socket), Some(SocketEvent::Ended)));
    let taken = [b"\x8a\x06before", &close_bytes(End::IDLE)[..]].concat();
    assert_eq!(socket.stream().taken, taken);
}

#[test]
fn a_close_is_answered_with_its_code() {
    for (payload, answer, code) in [
        (&b""[..], &b"\x88\x00"[..], None),
        (b"\x03\xe8bye", b"\x88\x05\x03\xe8bye", Some(CloseCode::Normal)),
        (b"\x0b\xb8", b"\x88\x02\x0b\xb8", Some(CloseCode::Iana(3000))),
        (b"\x03\xf6", b"\x88\x02\x03\xf6", Some(CloseCode::from(1014))),
    ] {
        let mut socket = socket(&client_frame(8, true, payload));
        socket.stream().room = 1;
        let Some(SocketEvent::Closing(end)) = event(&mut socket) else { panic!("no close") };
        assert_eq!(end, End::of(code, EndReason::Client));
        assert!(!socket.write(text("after")));
        assert!(event(&mut socket).is_none(), "the answer has to be written first");
        socket.stream().room = 100;
        assert!(matches!(event(&mut socket), Some(SocketEvent::Flushed { .. })));
        assert!(matches!(event(&mut socket), Some(SocketEvent::Ended)));
        assert_eq!(socket.stream().taken, answer);
    }
}

#[test]
fn a_client_that_breaks_the_protocol_is_told_and_what_it_sends_is_dropped() {
    let long = client_frame(2, true, &[0; MESSAGE_BYTES_MAX + 1]);
    let fragments =
        [client_frame(1, false, b""), client_frame(0, false, b"").repeat(1024)].concat();
    for (bytes, code, reason) in [
        (client_frame(1, true, b"\xff"), 1007_u16, EndReason::Lost),
        (client_frame(3, true, b""), 1002, EndReason::Lost),
        (client_frame(0, true, b"no start"), 1002, EndReason::Lost),
        (b"\x81\x00".to_vec(), 1002, EndReason::Lost),
        (client_frame(8, true, b"\x03"), 1002, EndReason::Lost),
        (client_frame(8, true, b"\x03\xe8\xff"), 1007, EndReason::Lost),
        (client_frame(8, true, b"\x03\xedgone"), 1002, EndReason::Lost),
        (long, 1009, EndReason::Limit),
        (fragments, 1008, EndReason::Limit),
    ] {
        let mut socket = socket(b"");
        socket.stream().room = 1;
        socket.stream().sent.extend(bytes);
        let Some(SocketEvent::Violated(violation)) = event(&mut socket) else { panic!("no close") };
        let end = violation.end();
        assert_eq!((end.code, end.reason), (Some(code.into()), reason));
        socket.stream().sent.extend(client_frame(1, true, b"after"));
        assert!(matches!(event(&mut socket), Some(SocketEvent::Heard)), "it is dropped");
        assert!(event(&mut socket).is_none());
        socket.stream().room = 100;
        assert!(matches!(event(&mut socket), Some(SocketEvent::Flushed { .. })));
        assert!(matches!(event(&mut socket), Some(SocketEvent::Ended)));
        let text = violation.to_string();
        let head = [0x88, u8::try_from(2 + text.len()).unwrap()];
        let close = [&head[..], &code.to_be_bytes(), text.as_bytes()].concat();
        assert_eq!(socket.stream().taken, close);
    }
}

/// Also within a frame, and after a Close of ours.
#[test]
fn a_client_that_goes_away_ends_the_socket() {
    for closes in [false, true] {
        for bytes in [0, 3, 8] {
            let mut socket = socket(&client_frame(1, true, b"message")[..bytes]);
            if closes {
                socket.close(End::IDLE);
                assert!(matches!(event(&mut socket), Some(SocketEvent::Flushed { .. })));
            }
            assert!(event(&mut socket).is_none());
            socket.stream().has_ended = true;
            assert!(matches!(event(&mut socket), Some(SocketEvent::Ended)));
        }
    }
}

/// Also if the client sends nothing more.
#[test]
fn a_close_is_written_to_its_end() {
    for closes in [false, true] {
        let mut socket = socket(b"");
        socket.stream().room = 1;
        socket.close(End::IDLE);
        assert!(event(&mut socket).is_none());
        if closes {
            socket.stream().sent.extend(client_frame(8, true, b""));
            assert!(matches!(event(&mut socket), Some(SocketEvent::Closing(_))));
        }
        socket.stream().has_ended = true;
        while let Some(event) = event(&mut socket) {
            assert!(matches!(event, SocketEvent::Heard), "{event:?}");
        }
        socket.stream().room = 100;
        assert!(matches!(event(&mut socket), Some(SocketEvent::Flushed { .. })));
        assert!(matches!(event(&mut socket), Some(SocketEvent::Ended)));
        assert_eq!(socket.stream().taken, close_bytes(End::IDLE));
        assert!(socket.abandon(false).is_some());
    }
}

#[test]
fn a_socket_that_was_given_up_has_ended() {
    let mut socket = socket(&client_frame(1, true, b"message"));
    assert!(socket.write(text("message")));
    assert!(socket.abandon(true).is_none(), "nothing is written any more");
    assert!(!socket.is_flushing());
    assert!(!socket.write(text("message")));
    socket.ping();
    socket.close(End::IDLE);
    assert!(!socket.is_flushing());
    assert!(matches!(event(&mut socket), Some(SocketEvent::Ended)));
    assert!(socket.into_parts().is_none());
}

#[test]
fn an_idle_socket_holds_no_read_buffer() {
    let mut socket = socket(&client_frame(2, true, b"short"));
    socket.stream().sent.extend(client_frame(2, true, &[7; 100_000]));
    for _ in 0..2 {
        assert!(matches!(event(&mut socket), Some(SocketEvent::Message(_))));
    }
    assert!(event(&mut socket).is_none());
    assert_eq!(socket.wire.as_mut().unwrap().unread().capacity(), 0);
}
