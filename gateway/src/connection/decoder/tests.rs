//! Decoding, held against tungstenite's own reader.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{self, Read, Write};

use proptest::{collection::vec, prelude::*, sample::select};
use tokio_tungstenite::tungstenite::{
    self, Error, WebSocket,
    error::ProtocolError,
    protocol::{Role, WebSocketConfig, frame::coding::CloseCode},
};

use super::*;
use crate::connection::testing::client_frame;

const MESSAGE_BYTES_MAX: usize = 150;

/// What came out of the bytes of a client, until nothing more does.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    decoded: Vec<Decoded>,
    end: Result<(), Broken>,
}

/// Violations that are answered in the same way.
#[derive(Debug, PartialEq, Eq)]
enum Broken {
    TooLarge,
    NotUtf8,
    Protocol,
    /// A length that is not in its shortest form. tungstenite accepts it.
    LongLength,
}

/// Decodes what comes in pieces of `step` bytes.
fn decode(bytes: &[u8], step: usize) -> Outcome {
    let (mut decoder, mut unread) = (Decoder::new(MESSAGE_BYTES_MAX), BytesMut::new());
    let mut decoded = Vec::new();
    for piece in bytes.chunks(step) {
        unread.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut unread) {
                Ok(Next::Incomplete { missing }) => {
                    assert!(missing > 0);
                    break;
                }
                Ok(Next::Whole(close @ Decoded::Close(_))) => {
                    decoded.push(close);
                    return Outcome { decoded, end: Ok(()) };
                }
                Ok(Next::Whole(other)) => decoded.push(other),
                Err(violation) => {
                    let end = Err(match violation {
                        Violation::TooLarge(_) => Broken::TooLarge,
                        Violation::Protocol("length is not in its shortest form") => {
                            Broken::LongLength
                        }
                        Violation::TooManyFragments { .. } => panic!("there are few"),
                        Violation::NotUtf8 => Broken::NotUtf8,
                        Violation::CloseCode(_) | Violation::Protocol(_) => Broken::Protocol,
                    });
                    return Outcome { decoded, end };
                }
            }
        }
    }
    Outcome { decoded, end: Ok(()) }
}

/// The bytes of a client, for tungstenite.
struct Client<'a>(&'a [u8]);

impl Read for Client<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Client<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn decode_with_tungstenite(bytes: &[u8]) -> Outcome {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let mut socket = WebSocket::from_raw_socket(Client(bytes), Role::Server, Some(config));
    let mut decoded = Vec::new();
    loop {
        use tungstenite::Message as Theirs;
        decoded.push(match socket.read() {
            Ok(Theirs::Text(text)) => Decoded::Message(Message::Text(text)),
            Ok(Theirs::Binary(bytes)) => Decoded::Message(Message::Binary(bytes)),
            Ok(Theirs::Ping(payload)) => Decoded::Ping(payload),
            Ok(Theirs::Pong(_)) => Decoded::Pong,
            Ok(Theirs::Close(frame)) => Decoded::Close(frame),
            Ok(Theirs::Frame(_)) => unreachable!("it is never read"),
            Err(error) => {
                let end = match error {
                    Error::Capacity(_) => Err(Broken::TooLarge),
                    Error::Utf8(_) => Err(Broken::NotUtf8),
                    Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ok(()),
                    Error::Protocol(_) => Err(Broken::Protocol),
                    _ => Ok(()),
                };
                return Outcome { decoded, end };
            }
        });
    }
}

/// tungstenite puts another frame in place of one with a code that nobody may send, and takes 1014
/// for such a code.
fn without_bad_codes(mut outcome: Outcome) -> Outcome {
    if let Some(Decoded::Close(Some(frame))) = outcome.decoded.last()
        && (!frame.code.is_allowed() || frame.reason.as_str() == "Protocol violation")
    {
        outcome.decoded.pop();
        outcome.end = Err(Broken::Protocol);
    }
    outcome
}

/// Pieces of text that end within characters, and bytes of any kind.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let text = "ß€😀 text".as_bytes();
    prop_oneof![
        (0..=text.len(), 0..=text.len()).prop_map(move |(a, b)| text[a.min(b)..a.max(b)].to_vec()),
        Just("whole".into()),
        vec(any::<u8>(), 0..180),
        select(vec![1000_u16, 1005, 1011, 3000, 5000, 0])
            .prop_map(|code| code.to_be_bytes().into()),
    ]
}

/// Frames of which most may stand where they do.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    const OPCODES: [u8; 18] = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 9, 9, 10, 8, 3];
    (select(&OPCODES[..]), any::<bool>(), payload()).prop_map(|(opcode, is_final, payload)| {
        client_frame(opcode, is_final || opcode >= 8, &payload)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever the client sends, and however it is cut into pieces.
    #[test]
    fn it_decodes_what_tungstenite_does(
        frames in vec(frame(), 0..12),
        wrong in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
        step in 1..40_usize,
    ) {
        let mut bytes = frames.concat();
        if let (Some((index, byte)), false) = (wrong, bytes.is_empty()) {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        // Makes the last frame whole. What is wrong with a frame is found here at its head, there
        // at its end.
        bytes.extend([0; 2 * MESSAGE_BYTES_MAX]);
        let expected = without_bad_codes(decode_with_tungstenite(&bytes));
        let outcome = without_bad_codes(decode(&bytes, step));
        match (&outcome.end, &expected.end) {
            (Err(Broken::LongLength), _)
            // A frame with a long payload can have something else wrong too.
            | (Err(Broken::Protocol), Err(Broken::TooLarge)) => {
                prop_assert!(expected.decoded.starts_with(&outcome.decoded));
            }
            _ => prop_assert_eq!(&outcome, &expected),
        }
    }

    #[test]
    fn a_mask_is_taken_off_whatever_the_length(
        payload in vec(any::<u8>(), 0..100),
        mask in any::<[u8; 4]>(),
    ) {
        let mut masked: Vec<_> = payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
        unmask(&mut masked, mask);
        prop_assert_eq!(masked, payload);
    }
}

#[test]
fn an_empty_buffer_holds_no_memory() {
    let mut decoder = Decoder::new(1 << 20);
    let mut unread = BytesMut::from(&client_frame(2, true, &[7; 100_000])[..]);
    let message = Message::Binary(vec![7; 100_000].into());
    assert_eq!(decoder.decode(&mut unread), Ok(Next::Whole(Decoded::Message(message))));
    assert_eq!(unread.capacity(), 0);
}

#[test]
fn a_frame_says_how_much_it_lacks() {
    let frame = client_frame(2, true, &[7; 1000]);
    let mut decoder = Decoder::new(1000);
    let mut unread = BytesMut::new();
    for (index, byte) in frame.iter().enumerate() {
        let missing = if index < 8 { 1 } else { frame.len() - index };
        assert_eq!(decoder.decode(&mut unread), Ok(Next::Incomplete { missing }), "{index} bytes");
        unread.extend_from_slice(&[*byte]);
    }
    assert!(matches!(decoder.decode(&mut unread), Ok(Next::Whole(_))));
}

fn decode_all(frames: &[Vec<u8>], bytes_max: usize) -> Result<Next<Decoded>, Violation> {
    Decoder::new(bytes_max).decode(&mut BytesMut::from(&frames.concat()[..]))
}

#[test]
fn a_message_has_a_bound_of_fragments() {
    let message = |fragments: usize, payload: &[u8]| {
        let mut frames = vec![client_frame(0, false, payload); fragments];
        frames[0] = client_frame(2, false, payload);
        *frames.last_mut().unwrap() = client_frame(0, true, payload);
        decode_all(&frames, 1 << 20)
    };
    assert!(matches!(message(1024, b""), Ok(Next::Whole(_))));
    let too_many = |bytes, fragments| Err(Violation::TooManyFragments { bytes, fragments });
    assert_eq!(message(1025, b""), too_many(0, 1024));
    assert_eq!(message(2000, b"x"), too_many(1093, 1092));
    assert!(matches!(message(10_000, &[7; 16]), Ok(Next::Whole(_))));
}

/// What is wrong with a frame shows at its head, before its payload has come.
#[test]
fn a_head_that_breaks_the_protocol_is_refused_at_once() {
    let long = [0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    for (frames, violation) in [
        (vec![[&[0x89], &long[..]].concat()], Violation::Protocol("control frame is too long")),
        (vec![[&[0x82, 0x7f], &long[1..]].concat()], Violation::Protocol("frame without a mask")),
        (vec![[&[0x82], &long[..]].concat()], Violation::TooLarge(1000)),
        (
            vec![client_frame(2, false, &[7; 600]), client_frame(0, false, &[7; 401])[..8].into()],
            Violation::TooLarge(1000),
        ),
        (
            vec![vec![0x82, 0xfe, 0, 125, 0, 0, 0, 0]],
            Violation::Protocol("length is not in its shortest form"),
        ),
        (
            vec![vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]],
            Violation::Protocol("length is not in its shortest form"),
        ),
    ] {
        assert_eq!(decode_all(&frames, 1000), Err(violation));
    }
}

#[test]
fn a_close_has_a_code_and_a_reason_or_nothing() {
    let close = |payload: &[u8]| {
        let mut unread = BytesMut::from(&client_frame(8, true, payload)[..]);
        Decoder::new(1000).decode(&mut unread)
    };
    assert_eq!(close(b""), Ok(Next::Whole(Decoded::Close(None))));
    let frame = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
    assert_eq!(close(b"\x03\xe8bye"), Ok(Next::Whole(Decoded::Close(Some(frame)))));
    assert_eq!(close(b"\x03"), Err(Violation::Protocol("close code is cut off")));
    assert_eq!(close(b"\x03\xe8\xff"), Err(Violation::NotUtf8));
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535_u16] {
        assert_eq!(close(&code.to_be_bytes()), Err(Violation::CloseCode(code)));
    }
    for code in [1000, 1003, 1007, 1014, 3000, 4999_u16] {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        assert_eq!(close(&code.to_be_bytes()), Ok(Next::Whole(Decoded::Close(Some(frame)))));
    }
}

/// The last fragment of a message is coming when the messages begin to be dropped.
#[test]
fn dropped_messages_take_no_memory_and_a_close_behind_them_is_found() {
    let coming = client_frame(0, true, &[7; 100]);
    let (mut decoder, mut unread) = (Decoder::new(MESSAGE_BYTES_MAX), BytesMut::new());
    unread.extend_from_slice(&client_frame(1, false, b"first"));
    unread.extend_from_slice(&coming[..50]);
    assert!(matches!(decoder.decode(&mut unread), Ok(Next::Incomplete { .. })));
    assert_eq!(decoder.partial_bytes(), Some(5));
    decoder.drop_messages();
    let mut rest = coming[50..].to_vec();
    rest.extend(client_frame(2, true, &[7; 100_000]));
    rest.extend(client_frame(9, true, b"ping"));
    rest.extend(client_frame(1, true, b""));
    rest.extend(client_frame(8, true, b""));
    let mut decoded = Vec::new();
    for byte in rest {
        unread.extend_from_slice(&[byte]);
        while let Next::Whole(next) = decoder.decode(&mut unread).unwrap() {
            decoded.push(next);
        }
        assert_eq!(decoder.partial_bytes(), None);
        assert!(unread.len() < 20, "a head or a control frame");
    }
    assert_eq!(decoded, [Decoded::Ping("ping".into()), Decoded::Close(None)]);
}

/// So that the message can take memory for all of it.
#[test]
fn the_last_frame_of_a_message_says_how_long_the_message_is() {
    let whole = client_frame(2, true, &[7; 700]);
    let first = client_frame(2, false, &[7; 300]);
    let second = client_frame(0, false, &[7; 300]);
    let last = client_frame(0, true, &[7; 200]);
    let ping = client_frame(9, true, &[7; 100]);
    for (bytes, length_max) in [
        (vec![&whole[..100]], 700),
        (vec![&first[..100]], 1000),
        (vec![&first], 1000),
        (vec![&first, &second[..100]], 1000),
        (vec![&first, &ping[..50]], 1000),
        (vec![&first, &last[..100]], 500),
    ] {
        let (mut decoder, bytes) = (Decoder::new(1000), bytes.concat());
        let mut unread = BytesMut::from(&bytes[..]);
        assert!(matches!(decoder.decode(&mut unread), Ok(Next::Incomplete { .. })));
        assert_eq!(decoder.message_bytes_max(&unread), length_max);
    }
}
