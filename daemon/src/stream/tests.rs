//! The stream over real sockets.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::future::poll_fn;

use nix::sys::socket::getsockopt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// A stream and its client.
async fn connect() -> (Stream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    (accepted.into(), client)
}

#[tokio::test]
async fn bytes_go_both_ways_until_shutdown() {
    let (mut stream, mut client) = connect().await;
    assert_eq!(stream.peer_address().unwrap(), client.local_addr().unwrap());
    client.write_all(b"request").await.unwrap();
    client.shutdown().await.unwrap();
    let mut received = String::new();
    stream.read_to_string(&mut received).await.unwrap();
    assert_eq!(received, "request");

    assert!(stream.is_write_vectored());
    let slices = [IoSlice::new(b"an"), IoSlice::new(b"swer")];
    let written =
        poll_fn(|cx| Pin::new(&mut stream).poll_write_vectored(cx, &slices)).await.unwrap();
    assert_eq!(written, 6, "both slices in one call");
    stream.flush().await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
}

/// The client reads nothing, so the system keeps what does not fit into the client's buffer.
#[tokio::test]
async fn the_bytes_that_the_system_keeps_are_known() {
    const SEND_BUFFER: usize = 16 << 10;
    let (mut stream, _client) = connect().await;
    set_send_buffer(stream.tcp(), SEND_BUFFER).unwrap();
    assert_eq!(getsockopt(stream.tcp(), SndBuf).unwrap(), 2 * SEND_BUFFER);
    assert_eq!(stream.unacknowledged_bytes().unwrap(), 0);
    let mut written = 0;
    while let Poll::Ready(more) =
        poll_fn(|cx| Poll::Ready(Pin::new(&mut stream).poll_write(cx, &[7; 4096]))).await
    {
        written += more.unwrap();
    }
    let kept = stream.unacknowledged_bytes().unwrap();
    assert!((1..written).contains(&kept), "{kept} bytes of {written}");
}
