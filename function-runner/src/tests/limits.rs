//! How many invocations may run at once, and how the next one is refused.

use serde_json::json;

use super::{
    functions::{function, gate, waiting},
    http::{invocation, receive, send},
    server::Server,
};

/// With the settings `text`, one invocation of `waits` at the gate `name` is all that may run: the
/// next one gets `status`.
async fn check(name: &str, text: &str, status: u16) {
    let server = Server::start(text).await;
    let gate = gate(name);
    let held = send(server.address, &invocation("waits", "", b"{}")).await;
    gate.entered().await;
    assert_eq!(server.running("waits").await, 1);

    let refused = server.invoke("waits", "{}").await;
    assert_eq!((refused.status, &refused.json()["statusCode"]), (status, &json!(status)));

    gate.open();
    let held = receive(held).await;
    assert_eq!((held.status, held.json()), (200, json!("let go")));
    // After the answer, the permit is free.
    gate.open();
    assert_eq!(server.invoke("waits", "{}").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn more_than_the_instances_of_a_function_is_432() {
    check("instances", &waiting("instances", "max_instances = 1"), 432).await;
}

#[tokio::test]
async fn more_than_the_whole_runner_takes_is_429() {
    let text = format!("limits.max_invocations = 1\n{}", waiting("whole", ""));
    check("whole", &text, 429).await;
}

#[tokio::test]
async fn a_full_function_does_not_keep_others_from_running() {
    let text = [waiting("others", "max_instances = 1"), function("returns", "")].concat();
    let server = Server::start(&text).await;
    let held = send(server.address, &invocation("waits", "", b"{}")).await;
    gate("others").entered().await;
    assert_eq!(server.invoke("returns", "1").await.status, 200);
    gate("others").open();
    assert_eq!(receive(held).await.status, 200);
    server.stop().await;
}
