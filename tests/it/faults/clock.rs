//! The clock of the machine jumps: no connection is closed, and no cleanup is given up.

use std::{fs, path::Path};

use super::runs::{GatewayRuns, PATH};
use crate::support::{backend::Reply, client::Client, process::Process, soon};

/// The library of Debian's package `faketime`.
pub(super) const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

pub(super) fn is_missing() -> bool {
    let missing = !Path::new(LIBRARY).exists();
    if missing {
        skipped::without(format!("{LIBRARY} is missing (apt-get install faketime)"));
    }
    missing
}

/// The date in a response of the server.
async fn day(url: &str) -> String {
    let answer = soon("an answer", crate::support::access::get(url)).await.unwrap();
    answer.headers()["date"].to_str().unwrap()[..16].to_owned()
}

#[tokio::test]
async fn jumps_of_the_clock_do_not_affect_connections_or_cleanups() {
    if is_missing() {
        return;
    }
    let runs = GatewayRuns::new("").await;
    let clock = runs.folder.path().join("clock");
    let set = |offset: &str| fs::write(&clock, offset).unwrap();
    set("+0d");
    let variables = [
        ("LD_PRELOAD", LIBRARY),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let gateway = Process::start("gateway", &[], runs.folder.path(), &variables).await;
    let mut client = Client::connect(gateway.address("public"), PATH).await.unwrap();
    runs.backend.always("cleanup", Reply::status(500));
    let health = format!("http://{}/healthz", gateway.address("internal"));
    let today = day(&health).await;
    for offset in ["+3d", "-3d", "+40d"] {
        set(offset);
        soon("another day", async { while day(&health).await == today {} }).await;
        let leaving = Client::connect(gateway.address("public"), PATH).await.unwrap();
        drop(leaving);
        runs.backend.next("cleanup").await;
        client.send(offset).await;
        assert_eq!(runs.backend.next("transmit").await.data(), offset);
    }
    set("-40d");
    drop(client);
    runs.backend.next("cleanup").await;
    runs.backend.always("cleanup", Reply::ok());
    runs.backend.oracle().all_cleaned_up().await;
    let url = format!("http://{}/cleanups", gateway.address("internal"));
    let list = crate::support::access::get(url).await.unwrap().text().await.unwrap();
    assert!(list.contains(r#""givenUp":0"#), "{list}");
    GatewayRuns::end(gateway).await;
    runs.backend.oracle().check();
}

/// The next run starts three days later, and makes more than one attempt.
#[tokio::test]
async fn a_cleanup_left_long_ago_is_not_given_up_at_once() {
    if is_missing() {
        return;
    }
    let runs = GatewayRuns::new("").await;
    runs.backend.always("cleanup", Reply::status(500));
    let gateway = runs.start().await;
    drop(Client::connect(gateway.address("public"), PATH).await.unwrap());
    runs.backend.next("cleanup").await;
    GatewayRuns::end(gateway).await;
    while runs.backend.was_called("cleanup").await {
        runs.backend.next("cleanup").await;
    }
    let later =
        [("LD_PRELOAD", LIBRARY), ("FAKETIME", "+3d"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let gateway = Process::start("gateway", &[], runs.folder.path(), &later).await;
    for _ in 0..3 {
        runs.backend.next("cleanup").await;
    }
    runs.backend.always("cleanup", Reply::ok());
    runs.backend.oracle().all_cleaned_up().await;
    GatewayRuns::end(gateway).await;
}
