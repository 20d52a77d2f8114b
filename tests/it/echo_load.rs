//! 64 connections echo through gateway, runner, function and push: no error, no message lost, none
//! out of order.

use futures_util::future::join_all;

use crate::support::{client::Client, stack::Stack};

const CONNECTIONS: usize = 64;
const MESSAGES: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_connections_echo_without_loss() {
    let stack = Stack::start("memory:///echo-load").await;
    let address = stack.listeners.public;
    join_all((0..CONNECTIONS).map(|connection| async move {
        let mut client = Client::connect(address, "/release/echo").await.unwrap();
        for number in 0..MESSAGES {
            let text = format!("{connection} {number}");
            client.send(text.clone()).await;
            assert_eq!(client.receive_text().await, text);
        }
        client.close(1000.into()).await;
    }))
    .await;
    stack.finish().await;
}
