//! Connections over in-memory streams, with paused time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    net::Ipv4Addr,
    task::{Context, Poll},
    time::Duration,
};

use http::Response;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::timeout,
};

use super::*;
use crate::{
    activity::Timeouts,
    http::full,
    serve::{capacity::Capacity, write_deadline::RATE},
};

impl PeerEnd for DuplexStream {
    fn poll_peer_end(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

const ANSWER_BYTES: usize = 256 << 10;
const WRITE_TIMEOUT: Duration = RATE.timeout;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A connection whose requests are all answered with [`ANSWER_BYTES`], and its client.
async fn serve() -> (JoinHandle<hyper::Result<()>>, DuplexStream) {
    let (stream, client) = duplex(8 << 10);
    let activity = Activity::new(Timeouts { idle: HOUR, head: HOUR, reserve: HOUR });
    let permit = Capacity::new(1).enter(activity.clone()).await;
    let connection = Connection {
        stream,
        peer: (Ipv4Addr::LOCALHOST, 1).into(),
        activity,
        permit,
        stop: CancellationToken::new(),
        linger: Duration::ZERO,
    };
    let service =
        service_fn(async |_| Ok::<_, Infallible>(Response::new(full(vec![b'x'; ANSWER_BYTES]))));
    let served =
        tokio::spawn(async move { connection.serve(&http1::Builder::new(), service).await });
    (served, client)
}

async fn ask(client: &mut DuplexStream) {
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_answer_nobody_reads_is_ended() {
    let (served, mut client) = serve().await;
    ask(&mut client).await;
    let error = timeout(2 * WRITE_TIMEOUT, served).await.unwrap().unwrap().unwrap_err();
    assert!(format!("{error:?}").contains("did not read its answer"), "{error:?}");
}

/// Each byte is news, and still the answer would take days.
#[tokio::test(start_paused = true)]
async fn a_connection_whose_answer_is_read_byte_by_byte_is_ended() {
    let (served, mut client) = serve().await;
    ask(&mut client).await;
    let reading = tokio::spawn(async move {
        while client.read_u8().await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    timeout(2 * WRITE_TIMEOUT, served).await.unwrap().unwrap().unwrap_err();
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_all_of_its_answers() {
    let (served, mut client) = serve().await;
    // On one connection, so that what was measured for one answer does not count for the next.
    for _ in 0..3 {
        ask(&mut client).await;
        let mut left = ANSWER_BYTES;
        let mut piece = vec![0; 8 << 10];
        while left > 0 {
            sleep(WRITE_TIMEOUT / 10).await;
            let bytes = client.read(&mut piece).await.unwrap();
            assert_ne!(bytes, 0, "{left} bytes are missing");
            // The heads are small, and come first.
            left = left.saturating_sub(bytes);
        }
    }
    drop(client);
    timeout(HOUR, served).await.unwrap().unwrap().unwrap_or_default();
}
