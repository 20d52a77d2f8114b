//! What a client sends after the Close.

use tokio::{io::split, join, time::sleep_until};

use super::*;

const CLOSE: &[u8] = b"\x88\x02\x03\xe8";

/// A client that has sent its Close and has read the answer, and its connection has ended.
async fn closed_by_client() -> DuplexStream {
    let Opened { mut client, connection, began, .. } = open(1000);
    client.write_all(&client_frame(8, true, b"\x03\xe8")).await.unwrap();
    let mut after = Vec::new();
    client.read_to_end(&mut after).await.unwrap();
    assert_eq!(after, CLOSE);
    let (end, seconds) = end_of(connection, began).await;
    assert_eq!((end.reason, seconds), (EndReason::Client, 0), "it does not wait for the client");
    client
}

#[tokio::test(start_paused = true)]
async fn what_a_client_sends_after_its_close_is_read_and_dropped_while_it_reads() {
    for opcode in [1, 9, 10] {
        let Opened { mut client, handle, connection, .. } = open(64 << 10);
        settle().await;
        let receipt = push(&handle, 1_000_000);
        client.write_all(&client_frame(8, true, b"\x03\xe8")).await.unwrap();
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 16 << 10];
        loop {
            let count = client.read(&mut chunk).await.unwrap();
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&chunk[..count]);
            // More together than the pipe holds.
            client.write_all(&client_frame(opcode, true, &[7; 100]).repeat(30)).await.unwrap();
        }
        assert_eq!(bytes.len(), 10 + 1_000_000 + 4);
        assert_eq!(&bytes[10 + 1_000_000..], CLOSE);
        receipt.written.await.expect("it was written");
        let end = connection.await.unwrap();
        assert_eq!((end.code, end.reason), (Some(CloseCode::Normal), EndReason::Client));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_end_its_stream_is_dropped_after_the_close_timeout() {
    let mut client = closed_by_client().await;
    let began = Instant::now();
    while client.write_all(b"noise").await.is_ok() {
        sleep(SECOND / 10).await;
    }
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_without_a_pause_after_its_close_is_dropped_after_64_mib() {
    let mut client = closed_by_client().await;
    let (mut sent, noise) = (0, [7; 1000]);
    while client.write_all(&noise).await.is_ok() {
        sent += noise.len();
    }
    assert!((64 << 20..65 << 20).contains(&sent), "{sent}");
}

/// The client is in the middle of a message, and answers the Close behind the message.
#[tokio::test(start_paused = true)]
async fn a_client_without_memory_is_read_from_after_the_close_and_gives_its_memory_back() {
    let memory = ReceiveMemory::new(128 << 10);
    let Opened { client, connection, began, .. } = open_in(&memory, 16 << 10, |settings| {
        settings.ping_interval = 60 * SECOND;
    });
    let (mut reads, mut writes) = split(client);
    let writing = async {
        writes.write_all(&client_frame(2, true, &vec![7; 1_000_000])).await.unwrap();
        sleep_until(began + 32 * SECOND).await;
        writes.write_all(&client_frame(8, true, b"\x03\xf5")).await.unwrap();
    };
    let reading = async {
        let mut close = close_bytes(End::NO_MEMORY);
        reads.read_exact(&mut close).await.unwrap();
        assert_eq!(close, close_bytes(End::NO_MEMORY));
        assert_eq!(began.elapsed().as_secs(), 30);
        let Opened { client: mut other, .. } = open_in(&memory, 16 << 10, |_| {});
        other.write_all(&client_frame(2, true, &vec![7; 64 << 10])).await.unwrap();
        other.write_all(&client_frame(9, true, b"")).await.unwrap();
        let mut pong = [0; 2];
        other.read_exact(&mut pong).await.unwrap();
        assert_eq!(pong, *b"\x8a\x00");
        assert!(!connection.is_finished(), "the memory came back with its end");
        assert_eq!(end_of(connection, began).await, (End::NO_MEMORY, 32));
        assert_eq!(reads.read(&mut [0]).await.unwrap(), 0);
    };
    join!(writing, reading);
}

/// Such a client cannot answer a Close before it has been read from.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_held_back_because_of_its_function_is_not_cut() {
    let Opened { client, handle, connection, .. } = open(16 << 10);
    let (mut reads, mut writes) = split(client);
    settle().await;
    let writing = async {
        writes.write_all(&client_frame(2, true, &[7; 10_000]).repeat(100)).await.unwrap();
        writes.write_all(&client_frame(8, true, b"\x03\xe8")).await.unwrap();
        writes.shutdown().await.unwrap();
    };
    let reading = async {
        settle().await;
        assert!(handle.mailbox.close(End::SERVER));
        let mut after = Vec::new();
        reads.read_to_end(&mut after).await.unwrap();
        assert_eq!(after, close_bytes(End::SERVER));
    };
    join!(writing, reading);
    assert_eq!(connection.await.unwrap().code, End::SERVER.code);
}
