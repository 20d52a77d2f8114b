//! Clients that send nothing: they are pinged, and closed as lost or idle.

use futures_util::StreamExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{soon, world::World};

#[tokio::test]
async fn a_connection_without_messages_is_closed_1001_as_idle() {
    let world = World::with("idle_timeout = '100ms'", "").await;
    let (mut client, _) = world.client().await;
    assert_eq!(client.closed().await, 1001);
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "idle");
    assert_eq!(cleanup.websocket("closeCode"), "1001");
    world.finish().await;
}

/// Pings and pongs do not count as activity.
#[tokio::test]
async fn pings_do_not_keep_an_idle_connection_open() {
    let world = World::with("idle_timeout = '200ms'", "[connection]\nping_interval = '20ms'").await;
    let (mut client, _) = world.client().await;
    assert_eq!(client.closed().await, 1001);
    world.finish().await;
}

#[tokio::test]
async fn a_client_that_answers_pings_stays_connected() {
    let times = "[connection]\nping_interval = '20ms'\npong_timeout = '5s'";
    let world = World::with("", times).await;
    let (mut client, _) = world.client().await;
    for _ in 0..5 {
        let ping = soon("a ping", client.socket.next()).await.unwrap().unwrap();
        assert!(matches!(ping, Message::Ping(_)), "{ping:?}");
    }
    client.send("still here").await;
    assert_eq!(world.backend.next("transmit").await.data(), "still here");
    world.finish().await;
}

#[tokio::test]
async fn a_client_that_does_not_answer_pings_is_lost() {
    let times = "[connection]\nping_interval = '20ms'\npong_timeout = '50ms'";
    let world = World::with("", times).await;
    // The test does not read from this client's socket, so pings are not answered.
    let (_client, _) = world.client().await;
    assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "lost");
    world.finish().await;
}

/// Such a client cannot answer a ping before the end of the frame.
#[tokio::test]
async fn a_client_in_the_middle_of_a_long_message_is_not_lost() {
    use tokio::io::AsyncWriteExt;
    let times = "[connection]\nping_interval = '100ms'\npong_timeout = '100ms'";
    let world = World::with("", times).await;
    let (client, _) = world.client().await;
    let mut raw = client.into_raw();
    raw.write_all(&[0x81, 0x80 | 100, 0, 0, 0, 0]).await.unwrap();
    let start = std::time::Instant::now();
    for _ in 0..99 {
        raw.write_all(b"x").await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(start.elapsed() > std::time::Duration::from_millis(400), "too quick to show anything");
    raw.write_all(b"x").await.unwrap();
    assert_eq!(world.backend.next("transmit").await.data().len(), 100);
    world.finish().await;
}

/// The client reads the ping, and answers, only after the messages in front of it.
#[tokio::test]
async fn a_client_that_reads_steadily_is_neither_lost_nor_stalled() {
    let times = "[connection]\nping_interval = '100ms'\npong_timeout = '500ms'\n\
                 write_timeout = '1s'\n[push]\ntimeout = '10s'";
    let world = World::with("", times).await;
    let (mut client, register) = world.client().await;
    let id = register.id().to_owned();
    let reading = tokio::spawn(async move {
        for _ in 0..12 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            assert_eq!(client.receive_text().await.len(), 256 << 10);
        }
        client
    });
    let big = "x".repeat(256 << 10);
    for _ in 0..12 {
        assert_eq!(world.push_text(&id, &big).await, 0);
    }
    let _client = reading.await.unwrap();
    world.finish().await;
}

/// Client libraries send pings of their own, also when the gateway has written nothing for longer
/// than the write timeout.
#[tokio::test]
async fn a_client_that_pings_is_not_taken_for_one_that_takes_nothing() {
    let world = World::with("", "[connection]\nwrite_timeout = '1ms'").await;
    let (mut client, _) = world.client().await;
    for number in 0..100_u8 {
        let payload = vec![number];
        client.send(Message::Ping(payload.clone().into())).await;
        let pong = soon("a pong", client.socket.next()).await.unwrap().unwrap();
        assert_eq!(pong, Message::Pong(payload.into()));
    }
    world.finish().await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_closed() {
    let world =
        World::with("", "[connection]\nwrite_timeout = '100ms'\n[push]\ntimeout = '10ms'").await;
    let (_client, register) = world.client().await;
    let big = "x".repeat(1 << 20);
    // The pushes fill the buffers of the system. Then the connection is closed and gone.
    soon("the end of the connection", async {
        while world.push_text(register.id(), &big).await != 410 {}
    })
    .await;
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "limit");
    assert_eq!(cleanup.websocket("closeCode"), "1008");
    world.finish().await;
}

/// Three minutes with default settings, fifty times as fast. `connection::tests` has the whole
/// time.
#[tokio::test]
async fn idle_clients_that_ping_are_not_cut() {
    use std::time::Duration;
    use tokio::time::{Instant, interval, timeout_at};
    let times = "[connection]\nping_interval = '500ms'\nwrite_timeout = '600ms'";
    let world = World::with("", times).await;
    let mut clients = tokio::task::JoinSet::new();
    for period in [200, 400, 600, 900] {
        let (mut client, _) = world.client().await;
        clients.spawn(async move {
            let end = Instant::now() + Duration::from_millis(3600);
            let mut pings = interval(Duration::from_millis(period));
            while timeout_at(end, pings.tick()).await.is_ok() {
                client.send(Message::Ping("still there?".into())).await;
                loop {
                    match soon("a pong", client.socket.next()).await.unwrap().unwrap() {
                        Message::Pong(_) => break,
                        Message::Ping(_) => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
            client.send("still here").await;
            client
        });
    }
    let clients = clients.join_all().await;
    for _ in &clients {
        assert_eq!(world.backend.next("transmit").await.data(), "still here");
    }
    drop(clients);
    world.finish().await;
}
