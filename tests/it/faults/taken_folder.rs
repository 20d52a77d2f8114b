//! Another process takes the journal's folder away while the gateway runs.

use std::fs;

use super::runs::{GatewayRuns, PATH};
use crate::support::{client::Client, process::Process, soon};

async fn readiness(gateway: &Process) -> (u16, String) {
    let url = format!("http://{}/readyz", gateway.address("internal"));
    let answer = soon("an answer", crate::support::access::get(url)).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Nothing that is written then would be found by the next start. So no client is accepted, and
/// register is not called. It is noticed at the next write, and so is the return of the files.
#[tokio::test]
async fn no_client_is_accepted_until_the_folder_is_back() {
    let runs = GatewayRuns::new("").await;
    let oracle = runs.backend.oracle();
    let gateway = runs.start().await;
    let address = gateway.address("public");
    let mut client = Client::connect(address, PATH).await.unwrap();
    let folder = runs.folder.path().join("data/journal");
    let elsewhere = runs.folder.path().join("data/elsewhere");

    fs::rename(&folder, &elsewhere).unwrap();
    let refused = Client::connect(address, PATH).await.err().unwrap();
    assert_eq!((refused.status().as_u16(), oracle.registered()), (503, 1));
    gateway.logged("was removed, moved or replaced by another process").await;
    let (status, text) = readiness(&gateway).await;
    assert!(status == 503 && text == r#"{"message":"not ready"}"#, "{status} {text}");
    // What the gateway has accepted is served, and cleaned up.
    client.send("hello").await;
    assert_eq!(runs.backend.next("transmit").await.data(), "hello");
    drop(client);
    runs.backend.next("cleanup").await;

    fs::rename(&elsewhere, &folder).unwrap();
    soon("readiness", async { while readiness(&gateway).await.0 != 200 {} }).await;
    let _client = Client::connect(address, PATH).await.unwrap();

    fs::remove_dir_all(&folder).unwrap();
    let refused = Client::connect(address, PATH).await.err().unwrap();
    assert_eq!((refused.status().as_u16(), oracle.registered()), (503, 2));
    assert_eq!(readiness(&gateway).await.0, 503);
    GatewayRuns::end(gateway).await;
    oracle.check();
}

/// The next start would not find it, so a shutdown waits for a cleanup that is not due.
#[tokio::test]
async fn a_shutdown_leaves_nothing_to_a_folder_that_was_deleted() {
    let runs = GatewayRuns::with("", "timeout = '50ms'\nfunction_timeout = '2s'").await;
    let oracle = runs.backend.oracle();
    let gate = runs.backend.hold("register");
    let gateway = runs.start().await;
    let refused = Client::connect(gateway.address("public"), PATH).await.err().unwrap();
    assert_eq!(refused.status(), 504);
    fs::remove_dir_all(runs.folder.path().join("data/journal")).unwrap();
    gate.notify_one();
    GatewayRuns::end(gateway).await;
    assert!(runs.backend.was_called("cleanup").await);
    oracle.check();
}
