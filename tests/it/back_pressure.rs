//! Back-pressure: with a slow function the gateway stops reading from the client, and no message is
//! lost.

use std::{sync::Arc, time::Duration};

use futures_util::SinkExt;
use tokio::{sync::Semaphore, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{backend::Reply, world::World};

/// The client sends until the gateway stops reading, which proves that the queue is bounded. Then
/// the function goes on, and all messages arrive.
#[tokio::test]
async fn a_client_with_a_slow_function_is_held_back_and_no_message_is_lost() {
    let world = World::with("", "[connection]\nreceive_queue = '64KiB'").await;
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    world.backend.on("transmit", move |_| {
        let gate = Arc::clone(&opened);
        async move {
            let _permit = gate.acquire().await.unwrap();
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
        assert!(sent < 200, "the client was never held back");
    }
    gate.add_permits(1000);
    client.socket.flush().await.unwrap();
    for _ in 0..sent {
        assert_eq!(world.backend.next("transmit").await.data().len(), data.len());
    }
    client.close(1000.into()).await;
    world.finish().await;
}

/// The gateway cannot read a pong while it holds the client back, so a missing pong must not end
/// the connection.
#[tokio::test]
async fn a_client_that_is_held_back_is_not_closed_as_lost() {
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
                let _permit = gate.acquire().await.unwrap();
            }
            Reply::ok()
        }
    });
    let (mut client, register) = world.client().await;
    client.send("first").await;
    client.send("second").await;
    world.backend.next("transmit").await;
    // Pushes are delivered in this time, which is longer than the pong timeout.
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
