//! Bursts: messages that come faster than they can be written, to clients that read, and to one
//! that does not.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    client::Client,
    world::{World, closing, data_send},
};

/// A push of each of these texts to one connection.
fn each(id: &str, texts: impl Iterator<Item = String>) -> Vec<Value> {
    texts.map(|text| data_send(id, &text)["websocket"].take()).collect()
}

/// Reads the numbers from 0 to `count`, which are the first words of messages.
async fn receive_numbers(client: &mut Client, count: usize) {
    for number in 0..count {
        let text = client.receive_text().await;
        assert_eq!(text.split(' ').next(), Some(&*number.to_string()));
    }
}

/// They are more than fit into its queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_in_one_batch_reaches_a_client_that_reads_whole_and_in_order() {
    const MESSAGES: usize = 20_000;
    let settings = "[connection]\nsend_queue = '4KiB'\n[push]\nmax_ids = 20000\ntimeout = '30s'";
    let world = World::with("", settings).await;
    let (mut client, register) = world.client().await;
    let texts = (0..MESSAGES).map(|number| number.to_string());
    let batch = world.push_later(&json!({ "websocket": each(register.id(), texts) }));
    receive_numbers(&mut client, MESSAGES).await;
    let answer = batch.await.unwrap();
    assert_eq!(answer["errNo"], 0);
    assert_eq!(answer["failed"].as_array().map(Vec::len), None, "answers of 429");
    world.finish().await;
}

/// The messages of each caller keep their order, because each caller waits for its answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_of_many_callers_wait_for_a_client_that_reads() {
    const CALLERS: usize = 64;
    const MESSAGES: usize = 50;
    let world = World::with("", "[connection]\nsend_queue = '1KiB'\n[push]\ntimeout = '30s'").await;
    let (mut client, register) = world.client().await;
    let reading = tokio::spawn(async move {
        let mut next = [0; CALLERS];
        for _ in 0..CALLERS * MESSAGES {
            let text = client.receive_text().await;
            let (caller, number) = text.trim_end().split_once(' ').unwrap();
            let next = &mut next[caller.parse::<usize>().unwrap()];
            assert_eq!(number.parse(), Ok(*next), "of caller {caller}");
            *next += 1;
        }
        client
    });
    let (pushes_to, id) = (&world, register.id());
    let callers = (0..CALLERS).map(|caller| async move {
        for number in 0..MESSAGES {
            let text = format!("{caller} {number:<200}");
            assert_eq!(pushes_to.push_text(id, &text).await, 0, "{caller} {number}");
        }
    });
    join_all(callers).await;
    drop(reading.await.unwrap());
}

/// The messages to the client that reads nothing are answered 429 at their deadline, and keep
/// nobody from anything until then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_is_429_and_the_burst_beside_it_arrives() {
    // Their bytes are more than the system buffers.
    const MESSAGES: usize = 3000;
    let settings = "[connection]\nsend_queue = '4KiB'\n[push]\ntimeout = '5s'";
    let world = World::with("", settings).await;
    let (mut reader, reads) = world.client().await;
    let (mut stuck, is_stuck) = world.small_client().await;
    let texts = || (0..MESSAGES).map(|number| format!("{number} {}", "x".repeat(400)));
    let pushes: Vec<_> =
        each(is_stuck.id(), texts()).into_iter().zip(each(reads.id(), texts())).collect();
    let pushes: Vec<_> = pushes.into_iter().flat_map(<[_; 2]>::from).collect();
    let batch = world.push_later(&json!({ "websocket": pushes }));
    receive_numbers(&mut reader, MESSAGES).await;
    // Its deadline is after that of the batch. If it finds no room, the batch has had its time.
    assert_eq!(world.push_text(is_stuck.id(), "probe").await, 429);
    let reading = tokio::spawn(async move {
        let mut read = Vec::new();
        loop {
            let message = stuck.receive().await;
            match message.is_text() {
                true => read.push(message.into_text().unwrap()),
                false => return read,
            }
        }
    });
    let answer = batch.await.unwrap();
    assert_eq!(world.push(closing(is_stuck.id())).await.1["errNo"], 0);
    let failed = answer["failed"].as_array().unwrap();
    assert!(failed.iter().all(|failed| failed["secConnectionID"] == is_stuck.id()));
    assert!(failed.iter().all(|failed| failed["errNo"] == 429));
    let read = reading.await.unwrap();
    assert_eq!(read.len(), MESSAGES - failed.len());
    for (number, text) in read.iter().enumerate() {
        assert_eq!(text.split(' ').next(), Some(&*number.to_string()));
    }
    world.finish().await;
}
