//! Drain: a gateway that is asked to stop closes its connections and cleans up.

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

/// So that clients do not come back all at once: when the first ones are closed the others are served.
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
        // Fails for those that have been closed meanwhile.
        let _ = client.socket.send("still here".into()).await;
    }
    assert_eq!(world.backend.next("transmit").await.data(), "still here");
    drop(clients);
    world.finish().await;
}

/// Whoever has nothing on its way is closed at once; for the other one its functions work and push
/// until all that it had sent has gone out.
#[tokio::test]
async fn what_a_client_had_sent_is_forwarded_before_its_close() {
    const MESSAGES: usize = 20;
    let world = World::with("", "[drain]\nspread = '0s'").await;
    let gate = world.backend.hold("transmit");
    let (mut quiet, _) = world.client().await;
    let (mut client, register) = world.client().await;
    for number in 0..MESSAGES {
        client.send(number.to_string()).await;
    }
    heard(&mut client).await;
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

/// The gateway has read what the client had sent when it answers a ping that came after it.
async fn heard(client: &mut Client) {
    client.send(Message::Ping("all".into())).await;
    while !soon("a pong", client.socket.next()).await.unwrap().unwrap().is_pong() {}
}

/// What had to be dropped is not dropped in silence.
#[tokio::test]
async fn a_client_whose_messages_are_cut_off_sees_1011() {
    let world = World::with("", "[drain]\ntimeout = '1s'").await;
    let gate = world.backend.hold("transmit");
    let (mut client, _) = world.client().await;
    for number in 0..3 {
        client.send(number.to_string()).await;
    }
    heard(&mut client).await;
    world.backend.next("transmit").await;
    world.stop.cancel();
    assert_eq!(client.closed().await, 1011);
    assert!(!world.backend.was_called("cleanup").await);
    gate.notify_one();
    assert_eq!(world.backend.next("cleanup").await.websocket("closeReason"), "fault");
    assert!(!world.backend.was_called("transmit").await);
    world.finish().await;
}

/// One that never ends does not make the gateway late: its cleanup is left to the next start.
#[tokio::test]
async fn a_call_that_never_ends_does_not_hold_the_gateway_up() {
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
        let address = world.doors.public;
        async move { Client::connect(address, crate::support::world::PATH).await.ok().unwrap() }
    });
    world.backend.next("register").await;
    world.stop.cancel();
    gate.notify_one();
    assert_eq!(connecting.await.unwrap().closed().await, 1001);
    world.finish().await;
}

/// More than the gateway takes in at once is on its way when it begins to drain.
#[tokio::test]
async fn what_clients_had_sent_by_then_is_forwarded() {
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

/// A backlog that would take all the time there is does not cost the connection its cleanup.
#[tokio::test]
async fn a_backlog_leaves_time_for_the_cleanup() {
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

/// Neither a push whose body never comes nor a download that nobody reads is waited for.
#[tokio::test]
async fn requests_that_never_end_do_not_hold_the_gateway_up() {
    use tokio::{io::AsyncWriteExt, net::TcpStream};
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("big.bin"), vec![0; 64 << 20]).unwrap();
    let pages = format!("[static]\ndir = '{}'\n[drain]\ntimeout = '30m'", folder.path().display());
    let world = World::with("", &pages).await;
    let mut push = TcpStream::connect(world.doors.internal).await.unwrap();
    push.write_all(b"POST /api-test HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        .await
        .unwrap();
    let mut download = TcpStream::connect(world.doors.public).await.unwrap();
    download.write_all(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    download.readable().await.unwrap();
    world.finish().await;
}

/// What is being flushed to it stands before the Close.
#[tokio::test]
async fn a_client_that_reads_nothing_does_not_hold_the_gateway_up() {
    let world = World::with("", "[drain]\ntimeout = '30m'").await;
    let (client, register) = world.client().await;
    let url = format!("http://{}/api-test", world.doors.internal);
    let body = crate::support::world::data_send(register.id(), &"x".repeat(1 << 20)).to_string();
    let http = reqwest::Client::new();
    let mut pushing = tokio::task::JoinSet::new();
    for _ in 0..4 {
        pushing.spawn(http.post(&url).body(body.clone()).send());
    }
    // One is being flushed, and stays unanswered; those behind it are taken back.
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

/// The client neither answers the Close nor leaves; the gateway does not wait for it forever.
#[tokio::test]
async fn a_client_that_ignores_the_close_does_not_hold_the_gateway_up() {
    let world = World::start().await;
    let (client, _) = world.client().await;
    let raw = client.into_raw();
    world.finish().await;
    drop(raw);
}
