//! A socket that is taken apart and rebuilt within a conversation.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// One step of a conversation.
#[derive(Debug, Clone)]
enum Step {
    /// The client sends a byte.
    Sends(u8),
    /// The client takes this many bytes.
    Takes(usize),
    /// The client sends nothing more.
    Ends,
    Write(Message),
    Ping,
    Close,
    /// Whether the connection has the socket read.
    Reads(bool),
}

/// What the client and the connection saw of a conversation.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    by_client: Vec<u8>,
    by_connection: Vec<String>,
    bytes_read: u64,
    bytes_written: u64,
}

/// Plays a conversation, and takes the socket apart before each step that `cut` is true of.
fn play(steps: &[Step], cut: impl Fn(usize) -> bool) -> Seen {
    let mut socket = Socket::new(HandStream::default(), Vec::new(), 300);
    let (mut reads, mut by_connection) = (true, Vec::new());
    for (index, step) in steps.iter().enumerate() {
        if cut(index) {
            socket = Socket::from_parts(socket.into_parts().unwrap());
        }
        match step {
            Step::Sends(byte) => socket.stream().sent.push_back(*byte),
            Step::Takes(bytes) => socket.stream().room += bytes,
            Step::Ends => socket.stream().has_ended = true,
            Step::Write(message) => {
                by_connection.push(format!("taken: {}", socket.write(message.clone().into())));
            }
            Step::Ping => socket.ping(),
            Step::Close => socket.close(End::IDLE),
            Step::Reads(value) => reads = *value,
        }
        while let Poll::Ready(event) =
            poll_once(|cx| socket.poll_next(cx, reads.then_some(usize::MAX)))
        {
            by_connection.push(format!("{event:?}"));
            if matches!(event, SocketEvent::Ended) {
                return seen(&mut socket, by_connection);
            }
        }
        by_connection.push(format!("flushing: {}", socket.is_flushing()));
    }
    seen(&mut socket, by_connection)
}

fn seen(socket: &mut Socket<HandStream>, by_connection: Vec<String>) -> Seen {
    Seen {
        by_client: socket.stream().taken.clone(),
        by_connection,
        bytes_read: socket.bytes_read(),
        bytes_written: socket.bytes_written(),
    }
}

/// Frames that the client sends, in steps of a byte: whole messages, a message in fragments with
/// pings between them, a Close, and a violation of the protocol.
fn client() -> impl Strategy<Value = Vec<Step>> {
    let text = "ß€😀".as_bytes();
    let fragments = (0..=text.len(), 0..=text.len()).prop_map(move |(a, b)| {
        let (start, end) = (a.min(b), a.max(b));
        [
            client_frame(1, false, &text[..start]),
            client_frame(9, true, b"ping"),
            client_frame(0, false, &text[start..end]),
            client_frame(10, true, b""),
            client_frame(0, true, &text[end..]),
        ]
        .concat()
    });
    let frames = prop_oneof![
        4 => Just(client_frame(1, true, "grüße".as_bytes())),
        4 => vec(any::<u8>(), 0..9).prop_map(|bytes| client_frame(2, true, &bytes)),
        1 => Just(client_frame(2, true, &[7; 126])),
        4 => fragments,
        2 => Just(client_frame(9, true, b"ping")),
        1 => Just(client_frame(8, true, b"\x03\xe8bye")),
        1 => Just(client_frame(0, true, b"of no message")),
    ];
    frames.prop_map(|bytes| bytes.into_iter().map(Step::Sends).collect())
}

fn server() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => vec(any::<u8>(), 0..10).prop_map(|bytes| Step::Write(Message::Binary(bytes.into()))),
        2 => Just(Step::Write(Message::Text("x".repeat(130).into()))),
        1 => Just(Step::Ping),
        1 => Just(Step::Close),
        8 => select(vec![1, 2, 3, 5, 8, 200]).prop_map(Step::Takes),
        2 => any::<bool>().prop_map(Step::Reads),
    ];
    step.prop_map(|step| vec![step])
}

fn conversation() -> impl Strategy<Value = Vec<Step>> {
    let parts = vec(prop_oneof![client(), server(), server()], 1..12);
    parts.prop_map(|parts| {
        let mut steps: Vec<_> = parts.concat();
        steps.extend([Step::Reads(true), Step::Takes(1000), Step::Ends]);
        steps
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whether it is done at one step, whichever that is, or at every step.
    #[test]
    fn neither_the_client_nor_the_connection_sees_it(steps in conversation()) {
        let whole = play(&steps, |_| false);
        for cut in 0..steps.len() {
            prop_assert_eq!(&play(&steps, |index| index == cut), &whole);
        }
        prop_assert_eq!(&play(&steps, |_| true), &whole);
    }
}
