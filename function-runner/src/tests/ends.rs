//! The time within which the invocations of a function will have ended.

use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    functions::{function, gate, settings, waiting},
    http::{invocation, receive, send},
    server::Server,
};

/// What the runner says of the function `waits`, if there is one.
async fn ends_within_ms(server: &Server) -> Option<u64> {
    let functions = server.get("/functions").await.json();
    let mut functions = functions["functions"].as_array().unwrap().iter();
    let waits = functions.find(|function| function["name"] == "waits")?;
    waits.get("ends_within_ms").and_then(Value::as_u64)
}

#[tokio::test]
async fn invocations_count_after_their_function_was_removed_and_added_again() {
    let (changes, new_settings) = mpsc::channel(1);
    let waits = waiting("removed", "timeout = \"60s\"");
    let server = Server::start_with_changes(&waits, new_settings).await;
    assert_eq!(ends_within_ms(&server).await, Some(0));
    let held = send(server.address, &invocation("waits", "", b"{}")).await;
    gate("removed").entered().await;
    let said = ends_within_ms(&server).await.unwrap();
    changes.send(settings(&function("returns", ""))).await.unwrap();
    while ends_within_ms(&server).await.is_some() {}
    changes.send(settings(&waits)).await.unwrap();
    while server.get("/functions/waits/logs").await.status != 200 {}
    let said_again = ends_within_ms(&server).await.unwrap();
    assert!(said_again > 1000 && said_again <= said, "{said_again} after {said}");
    gate("removed").open();
    assert_eq!(receive(held).await.status, 200);
    assert_eq!(ends_within_ms(&server).await, Some(0));
    server.stop().await;
}
