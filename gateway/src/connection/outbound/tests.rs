//! Following a flush, over a stream in memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use bytes::Bytes;
use futures_util::FutureExt;

use super::*;
use crate::{
    connection::{
        socket::SocketEvent,
        testing::{HandStream, client_frame},
    },
    registry::Message,
};

const SECOND: Duration = Duration::from_secs(1);
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

fn socket(sent: &[u8]) -> Socket<HandStream> {
    Socket::new(HandStream::default(), sent.to_vec(), 1 << 20)
}

/// The pong may be the first that the gateway writes for a long time.
#[test]
fn a_client_has_the_whole_write_timeout_for_a_pong() {
    let start = Instant::now();
    let mut outbound = Outbound::new(start, WRITE_TIMEOUT);
    let mut socket = socket(&client_frame(9, true, b""));
    assert!(matches!(socket.next(true).now_or_never(), Some(SocketEvent::Heard)));
    outbound.heard(start + 40 * SECOND, &socket);
    assert_eq!(outbound.deadline(), start + 70 * SECOND);
    assert!(!outbound.is_stalled(start + 69 * SECOND, &socket));
    assert!(outbound.is_stalled(start + 70 * SECOND, &socket));
}

/// A client that pings and does not read is closed all the same.
#[test]
fn a_ping_of_the_client_does_not_extend_the_flush() {
    let start = Instant::now();
    let mut outbound = Outbound::new(start, WRITE_TIMEOUT);
    let mut socket = socket(&client_frame(9, true, b""));
    outbound.write(start, &mut socket, Message::Binary(Bytes::from_static(&[7])).into(), None);
    assert!(matches!(socket.next(true).now_or_never(), Some(SocketEvent::Heard)));
    outbound.heard(start + 20 * SECOND, &socket);
    assert!(outbound.is_stalled(start + 30 * SECOND, &socket));
}

#[test]
fn those_who_wait_are_notified_of_the_flush_or_of_the_loss() {
    let start = Instant::now();
    let mut outbound = Outbound::new(start, WRITE_TIMEOUT);
    let mut socket = socket(b"");
    let write = |outbound: &mut Outbound, socket: &mut Socket<_>| {
        let (written, receipt) = oneshot::channel();
        outbound.write(
            start,
            socket,
            Message::Binary(Bytes::from_static(&[7])).into(),
            Some(written),
        );
        receipt
    };
    let mut flushed = write(&mut outbound, &mut socket);
    assert!(flushed.try_recv().is_err());
    outbound.flushed();
    assert_eq!(flushed.try_recv(), Ok(()));
    let mut lost = write(&mut outbound, &mut socket);
    outbound.lost();
    assert_eq!(lost.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    socket.abandon();
    let mut late = write(&mut outbound, &mut socket);
    assert_eq!(late.try_recv(), Err(oneshot::error::TryRecvError::Closed));
}
