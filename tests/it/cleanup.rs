//! Cleanup is called however a connection ends, as long as the gateway runs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;

use crate::support::{backend::Reply, client::Client, soon, world::World};

#[tokio::test]
async fn a_client_that_closes_is_cleaned_up_with_its_own_code() {
    let world = World::start().await;
    let (client, register) = world.client().await;
    client.close(4001.into()).await;
    assert_eq!(
        world.backend.next("cleanup").await.event,
        json!({ "websocket": {
            "action": "closing", "secConnectionID": register.id(),
            "closeCode": "4001", "closeReason": "client",
        } })
    );
    world.finish().await;
}

#[tokio::test]
async fn a_client_that_loses_its_network_is_cleaned_up() {
    let world = World::start().await;
    // FIN without a Close.
    let (client, _) = world.client().await;
    drop(client.into_raw());
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.websocket("closeReason"), "lost");
    assert!(cleanup.event["websocket"].get("closeCode").is_none());
    // RST.
    let (client, _) = world.client().await;
    let raw = client.into_raw();
    raw.set_zero_linger().unwrap();
    drop(raw);
    assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "lost");
    world.finish().await;
}

/// FIN and RST in the middle of a frame.
#[tokio::test]
async fn a_client_that_breaks_off_within_a_frame_is_cleaned_up() {
    use tokio::io::AsyncWriteExt;
    let world = World::start().await;
    for reset in [false, true] {
        let (client, _) = world.client().await;
        let mut raw = client.into_raw();
        raw.write_all(&[0x82, 0xff, 0, 0, 0]).await.unwrap();
        if reset {
            raw.set_zero_linger().unwrap();
        }
        drop(raw);
        assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "lost");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_client_that_leaves_while_register_runs_is_cleaned_up_after_it() {
    let world = World::start().await;
    let gate = world.backend.hold("register");
    let address = world.listeners.public;
    let connecting =
        tokio::spawn(async move { Client::connect(address, crate::support::world::PATH).await });
    let register = world.backend.next("register").await;
    connecting.abort();
    assert!(connecting.await.is_err());
    assert!(!world.backend.was_called("cleanup").await);
    gate.notify_one();
    let cleanup = world.backend.next("cleanup").await;
    assert_eq!(cleanup.id(), register.id());
    world.finish().await;
}

#[tokio::test]
async fn cleanup_waits_for_the_transmit_that_still_runs() {
    let world = World::start().await;
    let gate = world.backend.hold("transmit");
    let (mut client, register) = world.client().await;
    client.send("slow").await;
    world.backend.next("transmit").await;
    drop(client);
    // The gateway knows that the client is gone when it answers a push with 410.
    soon("the end of the connection", async {
        while world.push_text(register.id(), "anybody?").await != 410 {}
    })
    .await;
    assert!(!world.backend.was_called("cleanup").await);
    gate.notify_one();
    world.backend.next("cleanup").await;
    world.finish().await;
}

#[tokio::test]
async fn a_cleanup_that_fails_is_repeated_until_it_succeeds() {
    for status in [500, 430, 503, 404] {
        let world = World::start().await;
        let attempts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&attempts);
        world.backend.on("cleanup", move |_| {
            let attempt = counted.fetch_add(1, Ordering::Relaxed);
            async move { if attempt < 3 { Reply::status(status) } else { Reply::ok() } }
        });
        let (client, _) = world.client().await;
        client.close(1000.into()).await;
        world.finish().await;
        assert_eq!(attempts.load(Ordering::Relaxed), 4, "{status}");
    }
}

/// The cleanup function of one API hangs, and uses up all calls that `cleanup.concurrency` allows.
#[tokio::test]
async fn a_hanging_cleanup_function_does_not_delay_the_cleanups_of_other_apis() {
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        cleanup = {{ concurrency = 1 }}
        drain = {{ timeout = "100ms" }}
        [journal]
        sync = "off"
        [[api]]
        id = "hanging"
        path = "/release/hanging"
        transmit = "BACKEND/transmit"
        cleanup = "http://{}/"
        timeout = "1h"
        [[api]]
        id = "api-test"
        path = "/release/test"
        transmit = "BACKEND/transmit"
        cleanup = "BACKEND/cleanup"
        "#,
        hanging.local_addr().unwrap()
    );
    let world = World::launch(crate::support::backend::Backend::start().await, &settings).await;
    drop(Client::connect(world.listeners.public, "/release/hanging").await.unwrap());
    let _call = soon("the hanging call", hanging.accept()).await.unwrap();
    drop(world.connect().await);
    world.backend.next("cleanup").await;
    let error = world.stopped().await.unwrap_err();
    assert!(error.to_string().contains("1 cleanups left"), "{error}");
}

/// Many clients leave at once, by RST, FIN and Close.
#[tokio::test]
async fn every_client_of_a_mass_disconnect_is_cleaned_up() {
    const CLIENTS: usize = 300;
    let world = World::start().await;
    let clients = futures_util::future::join_all((0..CLIENTS).map(|_| world.connect())).await;
    for (number, mut client) in clients.into_iter().enumerate() {
        match number % 3 {
            0 => drop(client),
            1 => {
                let raw = client.into_raw();
                raw.set_zero_linger().unwrap();
                drop(raw);
            }
            _ => client.socket.close(None).await.unwrap(),
        }
    }
    for _ in 0..CLIENTS {
        world.backend.next("cleanup").await;
    }
    let backend = world.backend.clone();
    world.finish().await;
    assert_eq!(backend.oracle().cleaned_up(), CLIENTS);
}
