//! Back-pressure: a slow function holds its clients back instead of losing what they send.

use std::{sync::Arc, time::Duration};

use futures_util::SinkExt;
use tokio::{sync::Semaphore, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{backend::Reply, world::World};

/// The client sends until it is held back, which proves a bound; then the function goes on, and
/// everything that was sent arrives.
#[tokio::test]
async fn a_client_whose_function_is_slow_is_held_back_and_nothing_is_lost() {
    let world = World::with("", "[connection]\nreceive_queue = '64KiB'").await;
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    world.backend.on("transmit", move |_| {
        let gate = Arc::clone(&opened);
        async move {
            let _pass = gate.acquire().await.unwrap();
            Reply::ok()
        }
    });
    let (mut client, _) = world.client().await;
    let data = "x".repeat(256 << 10);
    let mut sent: usize = 0;
    loop {
        // Sending does not end while the gateway does not read.
        let sending = client.socket.send(Message::from(data.clone()));
        let held_back = timeout(Duration::from_millis(500), sending).await.is_err();
        sent += 1;
        if held_back {
            break;
        }
        assert!(sent < 200, "never held back");
    }
    gate.add_permits(1000);
    client.socket.flush().await.unwrap();
    for _ in 0..sent {
        assert_eq!(world.backend.next("transmit").await.data().len(), data.len());
    }
    client.close(1000.into()).await;
    world.finish().await;
}

/// A pong cannot be seen while the client is held back, so its absence must not count.
#[tokio::test]
async fn a_client_that_is_held_back_is_not_taken_for_lost() {
    let world = World::with(
        "",
        "[connection]\nreceive_queue = 1\nping_interval = '20ms'\npong_timeout = '20ms'",
    )
    .await;
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    world.backend.on("transmit", move |call| {
        let gate = Arc::clone(&opened);
        async move {
            if call.data() == "first" {
                let _pass = gate.acquire().await.unwrap();
            }
            Reply::ok()
        }
    });
    let (mut client, register) = world.client().await;
    client.send("first").await;
    client.send("second").await;
    world.backend.next("transmit").await;
    // Pushes go through meanwhile, for longer than the pong timeout.
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(200) {
        assert_eq!(world.push_text(register.id(), "x").await, 0);
    }
    gate.add_permits(1);
    assert_eq!(world.backend.next("transmit").await.data(), "second");
    let reading = tokio::spawn(async move { client.closed().await });
    world.finish().await;
    assert_eq!(reading.await.unwrap(), 1001);
}
