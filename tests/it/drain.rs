//! Drain: a gateway that is asked to stop closes its connections and delivers their cleanups.

use futures_util::{
    SinkExt, StreamExt,
    future::{join_all, select_all},
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{backend::Reply, client::Client, soon, world::World};

#[tokio::test]
async fn every_client_sees_1001_and_is_cleaned_up() {
    const CLIENTS: usize = 100;
    let world = World::start().await;
    let mut clients = join_all((0..CLIENTS).map(|_| world.connect())).await;
    world.stop.cancel();
    for code in join_all(clients.iter_mut().map(Client::closed)).await {
        assert_eq!(code, 1001);
    }
    for _ in 0..CLIENTS {
        assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "drain");
    }
    world.finish().await;
}

/// Closes are spread over `drain.spread`, so that clients do not all reconnect at once. When the
/// first connection is closed, the others are still served.
#[tokio::test]
async fn closes_are_spread() {
    const CLIENTS: usize = 100;
    let world = World::with("", "[drain]\nspread = '20s'\ntimeout = '10m'").await;
    let mut clients = join_all((0..CLIENTS).map(|_| world.connect())).await;
    world.stop.cancel();
    let first = select_all(clients.iter_mut().map(|client| Box::pin(client.closed())));
    let (code, closed, _) = first.await;
    assert_eq!(code, 1001);
    drop(clients.swap_remove(closed));
    for client in &mut clients {
        // An error means that this connection was closed meanwhile.
        let _ = client.socket.send("still here".into()).await;
    }
    assert_eq!(world.backend.next("transmit").await.data(), "still here");
    drop(clients);
    world.finish().await;
}

/// A connection without queued messages is closed at once. The messages of the other connection are
/// forwarded first, and functions can still push to it.
#[tokio::test]
async fn received_messages_are_forwarded_before_the_close() {
    const MESSAGES: usize = 20;
    let world = World::with("", "[drain]\nspread = '0s'").await;
    let gate = world.backend.hold("transmit");
    let (mut quiet, _) = world.client().await;
    let (mut client, register) = world.client().await;
    for number in 0..MESSAGES {
        client.send(number.to_string()).await;
    }
    all_received(&mut client).await;
    world.backend.next("transmit").await;
    world.stop.cancel();
    assert_eq!(quiet.closed().await, 1001);
    assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "drain");
    for number in 1..MESSAGES {
        gate.notify_one();
        assert_eq!(world.backend.next("transmit").await.data(), number.to_string());
    }
    assert_eq!(world.push_text(register.id(), "still here").await, 0);
    assert_eq!(client.receive_text().await, "still here");
    gate.notify_one();
    assert_eq!(client.closed().await, 1001);
    world.finish().await;
}

/// Waits until the gateway has read all messages of the client: it has when it answers a ping that
/// the client sends after them.
async fn all_received(client: &mut Client) {
    client.send(Message::Ping("all".into())).await;
    while !soon("a pong", client.socket.next()).await.unwrap().unwrap().is_pong() {}
}

/// A client learns that its messages were dropped.
#[tokio::test]
async fn a_client_whose_messages_are_dropped_sees_1011() {
    let world = World::with("", "[drain]\ntimeout = '1s'").await;
    let gate = world.backend.hold("transmit");
    let (mut client, _) = world.client().await;
    for number in 0..3 {
        client.send(number.to_string()).await;
    }
    all_received(&mut client).await;
    world.backend.next("transmit").await;
    world.stop.cancel();
    assert_eq!(client.closed().await, 1011);
    assert!(!world.backend.was_called("cleanup").await);
    gate.notify_one();
    assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "fault");
    assert!(!world.backend.was_called("transmit").await);
    world.finish().await;
}

/// The cleanup of such a connection is left to the next start.
#[tokio::test]
async fn a_call_that_never_ends_does_not_delay_the_end_of_the_gateway() {
    let world = World::with("timeout = '1h'", "[drain]\ntimeout = '1s'").await;
    let _gate = world.backend.hold("transmit");
    let (mut client, _) = world.client().await;
    client.send("for ever").await;
    world.backend.next("transmit").await;
    world.stop.cancel();
    assert_eq!(client.closed().await, 1011);
    world.stopped().await.unwrap();
}

#[tokio::test]
async fn a_client_that_is_being_registered_is_closed_once_it_is_open() {
    let world = World::start().await;
    let gate = world.backend.hold("register");
    let connecting = tokio::spawn({
        let address = world.listeners.public;
        async move { Client::connect(address, crate::support::world::PATH).await.ok().unwrap() }
    });
    world.backend.next("register").await;
    world.stop.cancel();
    gate.notify_one();
    assert_eq!(connecting.await.unwrap().closed().await, 1001);
    world.finish().await;
}

/// When the drain begins, the client has sent more than the gateway has read.
#[tokio::test]
async fn messages_sent_before_the_drain_are_forwarded() {
    const MESSAGES: usize = 100;
    let world = World::with("", "[connection]\nclose_timeout = '10s'").await;
    let (mut client, _) = world.client().await;
    let data = "x".repeat(8 << 10);
    for _ in 0..MESSAGES {
        client.send(data.clone()).await;
    }
    world.stop.cancel();
    assert_eq!(client.closed().await, 1001);
    for _ in 0..MESSAGES {
        world.backend.next("transmit").await;
    }
    world.finish().await;
}

/// Forwarding all messages would take longer than `drain.timeout`.
#[tokio::test]
async fn forwarding_leaves_time_for_the_cleanup() {
    let world = World::with("", "[drain]\ntimeout = '2s'").await;
    world.backend.on("transmit", |_| async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        Reply::ok()
    });
    let (mut client, _) = world.client().await;
    for _ in 0..100 {
        client.send("x").await;
    }
    drop(client);
    world.backend.next("transmit").await;
    world.finish().await;
}

/// A push whose body never comes, and a download that the client does not read.
#[tokio::test]
async fn requests_that_never_end_do_not_delay_the_end_of_the_gateway() {
    use tokio::{io::AsyncWriteExt, net::TcpStream};
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("big.bin"), vec![0; 64 << 20]).unwrap();
    let pages = format!("[static]\ndir = '{}'\n[drain]\ntimeout = '30m'", folder.path().display());
    let world = World::with("", &pages).await;
    let mut push = TcpStream::connect(world.listeners.internal).await.unwrap();
    push.write_all(b"POST /api-test HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        .await
        .unwrap();
    let mut download = TcpStream::connect(world.listeners.public).await.unwrap();
    download.write_all(b"GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    download.readable().await.unwrap();
    world.finish().await;
}

/// The Close of such a client waits behind a message that cannot be written.
#[tokio::test]
async fn a_client_that_reads_nothing_does_not_delay_the_end_of_the_gateway() {
    let world = World::with("", "[drain]\ntimeout = '30m'").await;
    let (client, register) = world.client().await;
    let url = format!("http://{}/api-test", world.listeners.internal);
    let body = crate::support::world::data_send(register.id(), &"x".repeat(1 << 20)).to_string();
    let http = crate::support::access::operator();
    let mut pushing = tokio::task::JoinSet::new();
    for _ in 0..4 {
        pushing.spawn(http.post(&url).body(body.clone()).send());
    }
    // One push is being written and stays unanswered. The pushes behind it are withdrawn.
    loop {
        let answer = pushing.join_next().await.unwrap().unwrap().unwrap();
        if answer.text().await.unwrap().contains("429") {
            break;
        }
    }
    let backend = world.backend.clone();
    world.finish().await;
    assert_eq!(backend.next("cleanup").await.websocket("closeReason"), "drain");
    drop(client);
}

/// The client neither answers the Close nor ends the connection.
#[tokio::test]
async fn a_client_that_ignores_the_close_does_not_delay_the_end_of_the_gateway() {
    let world = World::start().await;
    let (client, _) = world.client().await;
    let raw = client.into_raw();
    world.finish().await;
    drop(raw);
}
