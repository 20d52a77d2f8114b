//! Many clients that violate the protocol or break off, at once and in random order.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{SinkExt, future::join_all};
use strum::VariantArray;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};
use tokio_tungstenite::tungstenite::Message;

use super::crowd::{chance, connect};
use crate::support::{
    backend::Reply,
    world::{PATH, World},
};

const CLIENTS: usize = 400;
const MESSAGES: usize = 20;
/// The longest that register takes, in milliseconds.
const WORK: u64 = 100;

#[derive(Debug, Clone, Copy, VariantArray)]
enum Behaviour {
    /// Sends all its messages and closes.
    Proper,
    /// Sends all its messages and ends the TCP connection without a Close.
    Vanishes,
    /// Sends all its messages and resets the TCP connection.
    Resets,
    /// Sends all its messages, then bytes that are no frame.
    Garbage,
    /// Sends all its messages, then breaks off within a frame.
    MidFrame,
    /// Sends a handshake request and breaks off before the answer.
    LeavesRegister,
    /// Sends all its messages, then nothing until the gateway closes the connection.
    Silent,
}

impl Behaviour {
    async fn run(self, address: SocketAddr, name: usize) {
        if matches!(self, Self::LeavesRegister) {
            return leave_register(address).await;
        }
        let mut client = connect(address, PATH, 1).await.pop().unwrap();
        for number in 0..MESSAGES {
            client.socket.feed(Message::from(format!("{name} {number}"))).await.unwrap();
        }
        client.socket.flush().await.unwrap();
        match self {
            Self::Proper => client.close(1000.into()).await,
            Self::Vanishes => drop(client),
            Self::Resets => client.into_raw().set_zero_linger().unwrap(),
            Self::Garbage => drop(client.into_raw().write_all(&[0xff; 64]).await),
            Self::MidFrame => drop(client.into_raw().write_all(&[0x81, 0xfe, 0xff]).await),
            Self::Silent => assert_eq!(client.closed().await, 1001),
            Self::LeavesRegister => unreachable!(),
        }
    }
}

async fn leave_register(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET {PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Register may or may not have been called by then.
    sleep(Duration::from_millis(fastrand::u64(0..WORK))).await;
    stream.set_zero_linger().unwrap();
}

/// The function gets the messages of each client in order and without a gap, from the first one on.
/// From clients that closed properly, or that the gateway closed as idle, it gets all messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misbehaving_clients_are_cleaned_up_and_messages_stay_in_order() {
    let world = World::with("idle_timeout = '3s'", "").await;
    let mut chance = chance();
    let behaviours: Arc<Vec<_>> =
        Arc::new((0..CLIENTS).map(|_| *chance.choice(Behaviour::VARIANTS).unwrap()).collect());
    world.backend.on("register", |_| async {
        sleep(Duration::from_millis(fastrand::u64(0..WORK))).await;
        Reply::ok()
    });
    let address = world.listeners.public;
    let running = behaviours.iter().enumerate().map(|(name, it)| it.run(address, name));
    join_all(running).await;
    world.backend.oracle().all_cleaned_up().await;
    let mut left_register = 0;
    while world.backend.was_called("cleanup").await {
        let call = world.backend.next("cleanup").await;
        left_register += usize::from(call.websocket("closeReason") == "unregistered");
    }
    assert!(left_register > 0, "no client left while its register ran");
    let mut received: HashMap<usize, usize> = HashMap::new();
    while world.backend.was_called("transmit").await {
        let call = world.backend.next("transmit").await;
        let (name, number) = call.data().split_once(' ').unwrap();
        let expected = received.entry(name.parse().unwrap()).or_default();
        assert_eq!(number.parse(), Ok(*expected), "of client {name}");
        *expected += 1;
    }
    for (name, behaviour) in behaviours.iter().enumerate() {
        if matches!(behaviour, Behaviour::Proper | Behaviour::Silent) {
            assert_eq!(received.get(&name), Some(&MESSAGES), "of client {name}, {behaviour:?}");
        }
    }
    world.finish().await;
}
