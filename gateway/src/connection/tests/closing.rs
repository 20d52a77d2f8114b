//! Closes by the client, a function and a drain.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_close_that_waits_for_a_client_that_does_not_read_has_the_close_timeout() {
    let Opened { client, handle, connection, began } = open(1000);
    settle().await;
    let _receipt = push(&handle, 1500);
    settle().await;
    assert!(handle.mailbox.close(End::SERVER));
    let never_seen = End::of(None, EndReason::Server);
    assert_eq!(end_of(connection, began).await, (never_seen, 5));
    drop(client);
}

/// Reads what is left of a push of 1 MB at 50 kB/s, which takes longer than the close timeout, and
/// all that follows it.
async fn read_slowly(client: &mut DuplexStream, mut bytes: usize) -> Vec<u8> {
    let mut chunk = vec![0; 50_000];
    while bytes > chunk.len() {
        client.read_exact(&mut chunk).await.expect("the frame is cut off");
        bytes -= chunk.len();
        sleep(SECOND).await;
    }
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    rest.split_off(bytes)
}

/// What was begun is finished, then the Close is answered.
#[tokio::test(start_paused = true)]
async fn a_close_of_a_client_that_reads_slowly_cuts_no_frame() {
    let Opened { mut client, handle, connection, .. } = open(64 << 10);
    settle().await;
    let receipt = push(&handle, 1_000_000);
    client.read_exact(&mut [0; 200_000]).await.unwrap();
    client.write_all(&client_frame(8, true, b"\x03\xe8")).await.unwrap();
    let after = read_slowly(&mut client, 1_000_010 - 200_000).await;
    assert_eq!(after, b"\x88\x02\x03\xe8");
    receipt.written.await.expect("it was written");
    assert_eq!(connection.await.unwrap().reason, EndReason::Client);
}

#[tokio::test(start_paused = true)]
async fn a_close_of_a_function_waits_for_a_client_that_reads_slowly() {
    let Opened { mut client, handle, connection, .. } = open(64 << 10);
    settle().await;
    let receipt = push(&handle, 1_000_000);
    settle().await;
    assert!(handle.mailbox.close(End::SERVER));
    let after = read_slowly(&mut client, 1_000_010).await;
    assert_eq!(after, close_bytes(End::SERVER));
    receipt.written.await.expect("it was written");
    assert_eq!(connection.await.unwrap(), End::SERVER);
}

/// It has the close timeout, and not the write timeout for each 64 KiB.
#[tokio::test(start_paused = true)]
async fn a_client_that_closes_and_reads_no_more_is_cut_after_the_close_timeout() {
    let Opened { mut client, handle, connection, began } = open(64 << 10);
    settle().await;
    let receipt = push(&handle, 1_000_000);
    client.write_all(&client_frame(8, true, b"\x03\xe8")).await.unwrap();
    assert_eq!(end_of(connection, began).await.1, 5);
    assert!(receipt.written.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_answered_has_the_close_timeout() {
    let Opened { mut client, handle, connection, began } = open(1000);
    assert!(handle.mailbox.close(End::SERVER));
    let mut close = close_bytes(End::SERVER);
    client.read_exact(&mut close).await.unwrap();
    assert_eq!(close, close_bytes(End::SERVER), "RFC 6455, section 5.5.1");
    assert!(!handle.mailbox.close(End::IDLE), "pushes are refused from the Close on");
    assert_eq!(end_of(connection, began).await, (End::SERVER, 5));
}

#[tokio::test(start_paused = true)]
async fn a_drain_closes_a_connection_that_has_nothing_to_forward() {
    let Opened { client, handle, connection, began } = open(1 << 16);
    handle.mailbox.drain();
    let mut client = websocket(client).await;
    assert_eq!(close_code(&client.next().await.unwrap().unwrap()), Some(CloseCode::Away));
    // The client answers the Close while it reads on.
    assert!(client.next().await.is_none_or(|end| end.is_err()));
    assert_eq!(end_of(connection, began).await, (End::DRAIN, 0));
}
