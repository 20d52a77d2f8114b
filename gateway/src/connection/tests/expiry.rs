//! Clients whose token expires while they are connected.

use super::*;

/// What a client that answers pings is told, and how its connection ends.
async fn told(opened: Opened) -> (Option<(CloseCode, String)>, (End, u64)) {
    let mut client = websocket(opened.client).await;
    let mut told = None;
    while let Some(Ok(message)) = client.next().await {
        if let ClientMessage::Close(Some(frame)) = message {
            told = Some((frame.code, frame.reason.to_string()));
        }
    }
    (told, end_of(opened.connection, opened.began).await)
}

#[tokio::test(start_paused = true)]
async fn a_client_is_closed_with_1008_when_its_token_expires() {
    let (frame, end) = told(open_until(40)).await;
    assert_eq!(frame, Some((CloseCode::Policy, "the token has expired".to_owned())));
    assert_eq!(end, (End::EXPIRED, 40));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_expired_by_the_101_closes_at_once() {
    assert_eq!(told(open_until(0)).await.1, (End::EXPIRED, 0));
}

#[tokio::test(start_paused = true)]
async fn a_client_is_closed_at_its_time_although_a_push_waits_for_it() {
    let Opened { mut client, handle, connection, began } = open_until(20);
    settle().await;
    let _receipt = push(&handle, 200 << 10);
    // The client reads slowly, but reads: no other deadline ends it.
    let mut read = vec![0; 8 << 10];
    let end = async {
        loop {
            sleep(SECOND).await;
            if client.read(&mut read).await.is_err() || connection.is_finished() {
                break connection.await.unwrap();
            }
        }
    };
    let end = end.await;
    assert_eq!(end.reason, EndReason::Expired);
    assert!(began.elapsed() >= SECOND * 20, "{:?}", began.elapsed());
}

/// As after the sleep of a virtual machine: the clock went on, and the timer did not.
#[tokio::test(start_paused = true)]
async fn a_client_is_closed_when_the_clock_says_so_and_the_timer_does_not() {
    let at = Some(Instant::now() + SECOND * 3600);
    let (_, (end, seconds)) = told(open_with_expiry(Expiry { at, clock: SystemTime::now() })).await;
    assert_eq!(end, End::EXPIRED);
    assert!(seconds <= 60, "at the next ping, and not after {seconds} s");
}
