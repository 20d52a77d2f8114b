//! Order: the messages of a connection stay in order, in both directions and under pipelining.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, future::join_all};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{backend::Reply, soon, world::World};

const MESSAGES: usize = 200;

/// The oracle also asserts that no two transmit calls of one connection overlap.
#[tokio::test]
async fn pipelined_messages_reach_the_function_one_at_a_time_and_in_order() {
    let world = World::start().await;
    world.backend.on("transmit", |call| async move {
        // Uneven durations, so that overlapping calls would change the order.
        let number: u64 = call.data().parse().unwrap();
        tokio::time::sleep(Duration::from_micros(number * 7919 % 500)).await;
        Reply::ok()
    });
    let (client, _) = world.client().await;
    let (mut sink, mut stream) = client.socket.split();
    for number in 0..MESSAGES {
        sink.feed(Message::from(number.to_string())).await.unwrap();
    }
    sink.flush().await.unwrap();
    for number in 0..MESSAGES {
        assert_eq!(world.backend.next("transmit").await.data(), number.to_string());
    }
    sink.close().await.unwrap();
    while let Some(Ok(_)) = soon("the end", stream.next()).await {}
    world.finish().await;
}

#[tokio::test]
async fn pushes_arrive_in_order_if_each_waits_for_the_answer_to_the_last() {
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    for number in 0..MESSAGES {
        assert_eq!(world.push_text(register.id(), &number.to_string()).await, 0);
    }
    for number in 0..MESSAGES {
        assert_eq!(client.receive_text().await, number.to_string());
    }
    world.finish().await;
}

#[tokio::test]
async fn connections_do_not_wait_for_each_other() {
    let world = World::start().await;
    let (mut slow, slow_register) = world.client().await;
    let (mut quick, _) = world.client().await;
    let slow_id = slow_register.id().to_owned();
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let opened = std::sync::Arc::clone(&gate);
    world.backend.on("transmit", move |call| {
        let (gate, held) = (std::sync::Arc::clone(&opened), call.id() == slow_id);
        async move {
            if held {
                gate.notified().await;
            }
            Reply::ok()
        }
    });
    slow.send("held").await;
    assert_eq!(world.backend.next("transmit").await.data(), "held");
    for number in 0..10 {
        quick.send(number.to_string()).await;
        assert_eq!(world.backend.next("transmit").await.data(), number.to_string());
    }
    gate.notify_one();
    world.finish().await;
}

#[tokio::test]
async fn messages_sent_before_a_close_reach_the_function_before_the_cleanup() {
    let world = World::start().await;
    let clients = join_all((0..20).map(|_| world.connect())).await;
    for mut client in clients {
        for number in 0..5 {
            client.socket.feed(Message::from(number.to_string())).await.unwrap();
        }
        client.close(1000.into()).await;
    }
    for _ in 0..20 {
        world.backend.next("cleanup").await;
    }
    for _ in 0..100 {
        world.backend.next("transmit").await;
    }
    world.finish().await;
}
