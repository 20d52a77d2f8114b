//! Messages that come slowly.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_client_whose_message_comes_too_slowly_is_closed() {
    let Opened { mut client, connection, began, .. } = open(1 << 16);
    let frame = client_frame(2, true, &[7; 1000]);
    client.write_all(&frame[..500]).await.unwrap();
    for byte in &frame[500..502] {
        sleep(10 * SECOND).await;
        client.write_all(&[*byte]).await.unwrap();
    }
    let end = end_of(connection, began).await;
    assert_eq!(end, (End::SLOW_SENDER, 30 + 5), "the Close is not answered");
}

/// As slowly as it may.
#[tokio::test(start_paused = true)]
async fn a_client_that_sends_a_long_message_steadily_is_not_closed() {
    let Opened { mut client, connection, .. } = open(1 << 16);
    let frame = client_frame(2, true, &vec![7; 1 << 20]);
    for part in frame[..15 * (64 << 10)].chunks(64 << 10) {
        client.write_all(part).await.unwrap();
        sleep(29 * SECOND).await;
        assert!(!connection.is_finished());
    }
}

/// Clients whose messages lack a byte hold no more than the memory, and not for long. A client with
/// short messages does not notice.
#[tokio::test(start_paused = true)]
async fn messages_that_are_being_received_have_one_bound_together() {
    const CLIENTS: usize = 20;
    const CAPACITY: usize = 16 << 10;
    const MEMORY: usize = 4 << 20;
    let memory = ReceiveMemory::new(MEMORY);
    let frame: Arc<[u8]> = client_frame(2, true, &vec![7; 1 << 20])[..1 << 20].into();
    let mut slow = Vec::new();
    let sent = Arc::new(AtomicUsize::new(0));
    for _ in 0..CLIENTS {
        let Opened { mut client, connection, began, .. } = open_in(&memory, CAPACITY, |_| {});
        let (frame, sent) = (Arc::clone(&frame), Arc::clone(&sent));
        slow.push(tokio::spawn(async move {
            for part in frame.chunks(1 << 10) {
                if client.write_all(part).await.is_err() {
                    break;
                }
                sent.fetch_add(part.len(), Ordering::Relaxed);
            }
            end_of(connection, began).await
        }));
    }
    sleep(SECOND).await;
    let held = sent.load(Ordering::Relaxed);
    // The pipes hold some of the bytes, and each connection may have a short message beside the
    // memory.
    assert!(held < MEMORY + CLIENTS * (CAPACITY + (16 << 10)), "{held}");
    assert!(held > MEMORY / 2, "{held}");
    let Opened { client, .. } = open_in(&memory, CAPACITY, |_| {});
    let mut client = websocket(client).await;
    client.send(ClientMessage::Ping(vec![7; 100].into())).await.unwrap();
    assert!(client.next().await.unwrap().unwrap().is_pong());
    for slow in slow {
        let (end, seconds) = slow.await.unwrap();
        assert!([End::SLOW_SENDER, End::NO_MEMORY].contains(&end), "{end:?}");
        // Those that are closed give their memory to those that have waited, three messages at
        // least every 30 s.
        assert!(seconds <= CLIENTS as u64 / 3 * 30 + 5, "{seconds}");
    }
}
