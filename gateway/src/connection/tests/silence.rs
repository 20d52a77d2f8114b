//! Clients from which nothing comes, or only pings and pongs.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_nothing_is_lost_after_ping_and_pong_timeout() {
    let Opened { client, connection, began, .. } = open(1 << 16);
    assert_eq!(end_of(connection, began).await, (End::LOST, 25 + 20));
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_is_closed_when_it_has_been_idle() {
    let Opened { client, connection, began, .. } = open(1 << 16);
    let mut client = websocket(client).await;
    let mut code = None;
    while let Some(Ok(message)) = client.next().await {
        code = code.or(close_code(&message));
    }
    assert_eq!(code, Some(CloseCode::Away));
    assert_eq!(end_of(connection, began).await, (End::IDLE, 600));
}

/// When the gateway pings, in seconds, if the client answers each ping and sends this word of its
/// own.
async fn pings_after(word: Option<(u32, ClientMessage)>, count: usize) -> Vec<u64> {
    let Opened { client, began, .. } = open(1 << 16);
    let mut client = websocket(client).await;
    let (at, word) = word.unzip();
    let mut word_due = pin!(sleep(SECOND * at.unwrap_or(1_000)));
    let mut pings = Vec::new();
    while pings.len() < count {
        tokio::select! {
            message = client.next() => match message.unwrap().unwrap() {
                ClientMessage::Ping(_) => pings.push(began.elapsed().as_secs()),
                ClientMessage::Pong(_) => {}
                other => panic!("{other:?} after {:?}", began.elapsed()),
            },
            () = word_due.as_mut(), if !word_due.is_elapsed() => {
                client.send(word.clone().unwrap()).await.unwrap();
            }
        }
    }
    pings
}

/// A proxy that cuts silent connections must see a ping in time.
#[tokio::test(start_paused = true)]
async fn a_quiet_client_is_pinged_at_each_interval_from_its_last_byte() {
    assert_eq!(pings_after(None, 4).await, [25, 50, 75, 100]);
    let word = |at, word: ClientMessage| Some((at, word));
    assert_eq!(pings_after(word(10, ClientMessage::Pong("".into())), 3).await, [35, 60, 85]);
    assert_eq!(pings_after(word(24, ClientMessage::Ping("".into())), 3).await, [49, 74, 99]);
    assert_eq!(pings_after(word(30, ClientMessage::Pong("".into())), 3).await, [25, 55, 80]);
}

/// The head of a message, and later one byte of it: the interval begins anew with this byte.
#[tokio::test(start_paused = true)]
async fn a_byte_of_a_message_defers_the_ping_from_when_it_came() {
    let Opened { mut client, began, .. } =
        open_with(1 << 16, |settings| settings.read_timeout = 60 * SECOND);
    let frame = client_frame(1, true, &[b'x'; 100]);
    client.write_all(&frame[..10]).await.unwrap();
    sleep(10 * SECOND).await;
    client.write_all(&frame[10..11]).await.unwrap();
    let mut ping = [0; 2];
    client.read_exact(&mut ping).await.unwrap();
    assert_eq!((ping, began.elapsed().as_secs()), ([0x89, 0], 35));
}

/// Pings at this interval for three minutes, answers the gateway's pings, and sends nothing else.
async fn soak(ping_interval: Duration) {
    let Opened { client, connection, began, .. } = open(1 << 16);
    let mut client = websocket(client).await;
    let mut ticks = interval_at(began + ping_interval, ping_interval);
    let end = sleep_until(began + 180 * SECOND);
    let (mut pings, mut pongs) = (0, 0);
    let mut end = pin!(end);
    loop {
        tokio::select! {
            biased;
            message = client.next() => match message.unwrap().unwrap() {
                ClientMessage::Pong(_) => pongs += 1,
                ClientMessage::Ping(_) => {}
                other => panic!("{other:?} after {:?}", began.elapsed()),
            },
            _ = ticks.tick() => {
                client.send(ClientMessage::Ping("still there?".into())).await.unwrap();
                pings += 1;
            }
            () = end.as_mut() => break,
        }
    }
    assert!(!connection.is_finished());
    assert!(pings - pongs <= 1, "{pongs} pongs to {pings} pings");
}

#[tokio::test(start_paused = true)]
async fn an_idle_client_that_pings_is_not_cut() {
    tokio::join!(soak(10 * SECOND), soak(20 * SECOND), soak(30 * SECOND), soak(45 * SECOND));
}

/// The pong or the Close is the first that the gateway writes for longer than the write timeout,
/// and it has to wait for the client.
#[tokio::test(start_paused = true)]
async fn a_client_gets_its_pong_and_its_close_after_a_silence() {
    for (sent, answer) in
        [([0x89, 0x80, 0, 0, 0, 0], [0x8a, 0]), ([0x88, 0x80, 0, 0, 0, 0], [0x88, 0])]
    {
        let Opened { mut client, .. } =
            open_with(1, |settings| settings.write_timeout = 2 * SECOND);
        sleep(SECOND * 5 / 2).await;
        client.write_all(&sent).await.unwrap();
        sleep(SECOND).await;
        let mut received = [0; 2];
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(received, answer);
    }
}
