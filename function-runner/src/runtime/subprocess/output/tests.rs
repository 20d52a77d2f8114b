//! Lines of output that comes in pieces.

use std::{io, os::fd::OwnedFd};

use tokio::net::unix::pipe;
use tracing::Span;

use super::{LINE_BYTES_MAX, Output};
use crate::invocation::{Lines, RecentLines};

/// The lines of an invocation that has written `pieces`.
fn lines(pieces: &[&[u8]]) -> Vec<String> {
    let (pipe, _written) = io::pipe().unwrap();
    let pipe = pipe::Receiver::from_owned_fd(OwnedFd::from(pipe)).unwrap();
    let lines = RecentLines::of_function();
    let mut output = Output::new(pipe, Lines::of_instance(Span::none(), lines.clone()));
    pieces.iter().for_each(|piece| output.take(piece));
    output.finish();
    let ring = lines.subscribe();
    let ring = ring.borrow();
    ring.since(0).map(|(_, line)| line.to_string()).collect()
}

#[tokio::test]
async fn a_line_ends_with_its_line_break() {
    assert_eq!(lines(&[b"a\n\nb\r\n", b"half"]), ["a", "", "b", "half"]);
    assert_eq!(lines(&[b"a\n"]), ["a"]);
    assert_eq!(lines(&[b"bro\xffken\n"]), ["bro\u{fffd}ken"]);
}

#[tokio::test]
async fn a_long_line_is_split_between_characters_and_leaves_no_empty_line() {
    let full = "x".repeat(LINE_BYTES_MAX);
    for end in ["\n", "\r\n", ""] {
        let line = format!("{full}{end}");
        assert_eq!(lines(&[line.as_bytes()]), [&*full]);
        // The end comes later.
        let found = lines(&[full.as_bytes(), end.as_bytes(), b"b\n"]);
        assert_eq!(found, [&*full, "b"]);
    }
    assert_eq!(lines(&[full.as_bytes(), b"\n\n"]), [&*full, ""]);
    assert_eq!(lines(&[full.as_bytes(), b"y\n"]), [&*full, "y"]);
    for character in ["\u{e9}", "\u{4f60}", "\u{1f600}"] {
        for before in 0..4 {
            let text = "x".repeat(before) + &character.repeat(3 * LINE_BYTES_MAX / 4);
            let found = lines(&[text.as_bytes(), b"\n"]);
            assert_eq!(found.concat(), text, "{before} {character}");
            assert!(found.iter().all(|line| line.len() <= LINE_BYTES_MAX));
        }
    }
    // No character, however it goes on.
    let broken = [&[0xf0; LINE_BYTES_MAX], &b"\n"[..]].concat();
    assert_eq!(lines(&[&broken]).concat(), "\u{fffd}".repeat(LINE_BYTES_MAX));
}
