//! Calls that share one HTTP request between gateway and runner: one that fails harms no other.

use futures_util::future::join_all;

use super::{Functions, functions::function};
use crate::support::{backend::Backend, client::Client, world::World};

const CLIENTS: usize = 24;
const ROUNDS: usize = 5;

#[tokio::test]
async fn a_call_that_fails_with_a_long_trace_closes_no_other_client() {
    let functions = Functions::start(&function("rust", "timeout = \"30s\"")).await;
    let settings = format!(
        r#"
        [listen]
        public = "127.0.0.1:0"
        internal = "127.0.0.1:0"
        [runner]
        url = "http://{}"
        [[api]]
        id = "api-test"
        path = "/neighbours"
        transmit = "rust"
        reply = true
        timeout = "30s"
        "#,
        functions.address(),
    );
    let world = World::launch(Backend::start().await, &settings).await;
    let clients = (0..CLIENTS).map(|_| Client::connect(world.listeners.public, "/neighbours"));
    let mut clients: Vec<_> = join_all(clients).await.into_iter().map(Result::unwrap).collect();
    for _ in 0..ROUNDS {
        for (number, client) in clients.iter_mut().enumerate() {
            client.send(if number == CLIENTS / 2 { "raise at length" } else { "pause" }).await;
        }
        for (number, client) in clients.iter_mut().enumerate() {
            if number != CLIENTS / 2 {
                assert_eq!(client.receive_text().await, "pause", "client {number}");
            }
        }
    }
    // The function failed, which the client that called it does not see.
    let failed = &mut clients[CLIENTS / 2];
    failed.send("next").await;
    assert_eq!(failed.receive_text().await, "next");
    join_all(clients.into_iter().map(|client| client.close(1000.into()))).await;
    world.finish().await;
    functions.finish().await;
}
