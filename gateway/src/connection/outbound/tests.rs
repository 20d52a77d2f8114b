//! Following a flush, over a stream in memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::time::advance;

use super::*;
use crate::{
    connection::{
        socket::SocketEvent,
        testing::{HandStream, client_frame},
    },
    registry::{End, Message},
};

const SECOND: Duration = Duration::from_secs(1);
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

fn socket(sent: &[u8]) -> Socket<HandStream> {
    Socket::new(HandStream::default(), sent.to_vec(), 1 << 20)
}

fn any_message() -> Frame {
    Message::Binary(Bytes::from_static(&[7])).into()
}

/// Whoever began the flush: the socket answers pings and Closes by itself, perhaps as the first
/// that it writes for a long time.
#[tokio::test(start_paused = true)]
async fn a_client_has_the_whole_write_timeout_for_each_flush() {
    for sent in [client_frame(9, true, b"ping"), client_frame(8, true, b"\x03\xe8")] {
        let mut outbound = Outbound::new(WRITE_TIMEOUT);
        let mut socket = socket(&sent);
        outbound.watch(&socket);
        assert_eq!(outbound.deadline(), None, "nothing is flushed");
        advance(40 * SECOND).await;
        socket.next(Some(usize::MAX)).now_or_never().unwrap();
        outbound.watch(&socket);
        assert_eq!(outbound.deadline(), Some(Instant::now() + WRITE_TIMEOUT));
    }
    let mut outbound = Outbound::new(WRITE_TIMEOUT);
    let mut socket = socket(b"");
    let writes: [fn(&mut Socket<HandStream>); 3] = [
        |socket| assert!(socket.write(any_message())),
        |socket| socket.ping(),
        |socket| socket.close(End::IDLE),
    ];
    for write in writes {
        advance(40 * SECOND).await;
        write(&mut socket);
        outbound.watch(&socket);
        assert_eq!(outbound.deadline(), Some(Instant::now() + WRITE_TIMEOUT));
        socket.stream().room = 100;
        assert!(matches!(
            socket.next(Some(usize::MAX)).now_or_never(),
            Some(SocketEvent::Flushed { .. })
        ));
        outbound.flushed();
    }
}

/// A client that pings and does not read is closed all the same.
#[tokio::test(start_paused = true)]
async fn a_ping_of_the_client_does_not_extend_the_flush() {
    let mut outbound = Outbound::new(WRITE_TIMEOUT);
    let mut socket = socket(&client_frame(9, true, b""));
    outbound.write(&mut socket, any_message(), None);
    outbound.watch(&socket);
    let deadline = Instant::now() + WRITE_TIMEOUT;
    advance(20 * SECOND).await;
    assert!(matches!(socket.next(Some(usize::MAX)).now_or_never(), Some(SocketEvent::Heard)));
    outbound.watch(&socket);
    assert_eq!(outbound.deadline(), Some(deadline));
}

#[test]
fn those_who_wait_are_notified_of_the_flush_or_of_the_loss() {
    let mut outbound = Outbound::new(WRITE_TIMEOUT);
    let mut socket = socket(b"");
    let write = |outbound: &mut Outbound, socket: &mut Socket<_>| {
        let (written, receipt) = oneshot::channel();
        outbound.write(socket, any_message(), Some(written));
        receipt
    };
    let mut flushed = write(&mut outbound, &mut socket);
    assert!(flushed.try_recv().is_err());
    outbound.flushed();
    assert_eq!(flushed.try_recv(), Ok(Delivery::Written));
    let mut lost = write(&mut outbound, &mut socket);
    outbound.lost();
    assert_eq!(lost.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    socket.abandon(false);
    let mut late = write(&mut outbound, &mut socket);
    assert_eq!(late.try_recv(), Err(oneshot::error::TryRecvError::Closed));
}
