//! Pushes to clients that read, and to one that does not.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_push_is_notified_when_the_stream_has_taken_all_of_it_and_not_before() {
    let Opened { client, handle, connection, .. } = open(1000);
    settle().await;
    let mut receipt = push(&handle, 1500);
    settle().await;
    assert!(receipt.written.try_recv().is_err(), "the client has read nothing");
    let mut client = websocket(client).await;
    assert_eq!(client.next().await.unwrap().unwrap().len(), 1500);
    receipt.written.await.unwrap();
    drop(client);
    assert_eq!(connection.await.unwrap(), End::LOST);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_has_stalled_after_the_write_timeout() {
    let Opened { client, handle, connection, began } = open(1000);
    settle().await;
    let receipt = push(&handle, 1500);
    assert_eq!(end_of(connection, began).await, (End::STALLED, 30));
    assert!(receipt.written.await.is_err(), "notified of what was never written");
    drop(client);
}
