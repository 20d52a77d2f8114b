//! The wire over streams in memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::future::poll_fn;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, BufWriter, duplex};

use super::*;
use crate::connection::testing::{HandStream, poll_once};

fn wire<S>(stream: S) -> Wire<S> {
    let (unread, unwritten) = (Bytes::new(), Bytes::new());
    Wire::from_parts(WireParts { stream, unread, unwritten, bytes_read: 0, bytes_written: 0 })
}

#[test]
fn frames_are_written_in_order_one_byte_at_a_time() {
    let mut wire = wire(HandStream::default());
    for frame in ["first ", "second ", "third"] {
        wire.put(frame.into());
    }
    let all = "first second third";
    for written in 0..all.len() {
        assert!(poll_once(|cx| wire.poll_flush(cx)).is_pending());
        assert_eq!(wire.bytes_written(), written as u64);
        assert_eq!(wire.stream.taken, all.as_bytes()[..written]);
        wire.stream.room = 1;
    }
    assert!(poll_once(|cx| wire.poll_flush(cx)).is_ready());
    assert_eq!(wire.stream.taken, all.as_bytes());
    assert_eq!(wire.bytes_written(), all.len() as u64);
}

/// A push is answered when its message has been flushed, so the flush must not end above a layer
/// that holds bytes back.
#[tokio::test]
async fn a_flush_reaches_the_innermost_stream() {
    let (server, mut client) = duplex(64);
    let mut wire = wire(BufWriter::new(server));
    wire.put("message".into());
    poll_fn(|cx| wire.poll_drain(cx)).await.unwrap();
    let mut received = [0; 7];
    assert!(client.read_exact(&mut received).now_or_never().is_none(), "the layer holds it");
    poll_fn(|cx| wire.poll_flush(cx)).await.unwrap();
    client.read_exact(&mut received).now_or_never().expect("the client has it").unwrap();
    assert_eq!(&received, b"message");
}

#[test]
fn several_frames_are_written_at_once() {
    let mut wire = wire(HandStream::with_room());
    wire.put("a".into());
    wire.put("b".into());
    assert!(poll_once(|cx| wire.poll_flush(cx)).is_ready());
    wire.put("c".into());
    assert!(poll_once(|cx| wire.poll_flush(cx)).is_ready());
    assert_eq!(wire.stream.pieces, [2, 1]);
}

#[test]
fn a_stream_that_writes_nothing_is_an_error() {
    let mut space = [0; 1];
    let mut wire = wire(io::Cursor::new(&mut space[..]));
    wire.put("ab".into());
    let Poll::Ready(Err(error)) = poll_once(|cx| wire.poll_flush(cx)) else { panic!("no error") };
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    assert_eq!(wire.bytes_written(), 1);
}

/// A large buffer must belong to one message, or a few bytes of the next one would keep it.
#[test]
fn a_long_frame_is_read_without_what_comes_after_it() {
    let mut wire = wire(HandStream::default());
    wire.stream.sent = (0..20_000).map(|number| number as u8).collect();
    let read = |wire: &mut Wire<_>, missing| poll_once(|cx| wire.poll_read(cx, missing));
    assert!(matches!(read(&mut wire, 1), Poll::Ready(Ok(SHORT_READ_BYTES))));
    assert!(matches!(read(&mut wire, 10_000), Poll::Ready(Ok(10_000))));
    assert_eq!(wire.bytes_read(), 10_000 + SHORT_READ_BYTES as u64);
    assert!(matches!(read(&mut wire, 2), Poll::Ready(Ok(SHORT_READ_BYTES))));
    assert!(matches!(read(&mut wire, 1), Poll::Ready(Ok(1..))));
    assert!(wire.unread().iter().copied().eq((0..20_000).map(|number| number as u8)));
    assert!(read(&mut wire, 1).is_pending());
    assert!(read(&mut wire, 10_000).is_pending());
    wire.stream.has_ended = true;
    assert!(matches!(read(&mut wire, 1), Poll::Ready(Ok(0))));
    assert!(matches!(read(&mut wire, 10_000), Poll::Ready(Ok(0))));
}

#[test]
fn discarding_goes_on_until_the_client_ends() {
    let mut wire = wire(HandStream::default());
    wire.stream.sent = vec![7; 10_000].into();
    assert!(poll_once(|cx| wire.poll_discard(cx)).is_pending());
    assert_eq!((wire.unread().capacity(), wire.bytes_read()), (0, 10_000));
    wire.stream.has_ended = true;
    assert!(poll_once(|cx| wire.poll_discard(cx)).is_ready());
}
