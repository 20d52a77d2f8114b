//! The clock of the machine jumps: no connection ends by it, and no cleanup is given up.

use std::{fs, path::Path};

use super::life::{Lives, PATH};
use crate::support::{backend::Reply, client::Client, process::Process, soon};

/// Where Debian's package `faketime` puts it.
pub(super) const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

pub(super) fn is_missing() -> bool {
    let missing = !Path::new(LIBRARY).exists();
    if missing {
        assert!(std::env::var_os("CI").is_none(), "{LIBRARY} is missing");
        eprintln!("skipped: {LIBRARY} is missing");
    }
    missing
}

/// Which day a server says that it is.
async fn day(url: &str) -> String {
    let answer = soon("an answer", reqwest::get(url)).await.unwrap();
    answer.headers()["date"].to_str().unwrap()[..16].to_owned()
}

#[tokio::test]
async fn neither_connections_nor_cleanups_go_by_a_clock_that_jumps() {
    if is_missing() {
        return;
    }
    let lives = Lives::new("").await;
    let clock = lives.folder.path().join("clock");
    let set = |offset: &str| fs::write(&clock, offset).unwrap();
    set("+0d");
    let variables = [
        ("LD_PRELOAD", LIBRARY),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let gateway = Process::start("gateway", &[], lives.folder.path(), &variables).await;
    let mut client = Client::connect(gateway.door("public"), PATH).await.unwrap();
    lives.backend.always("cleanup", Reply::status(500));
    let health = format!("http://{}/healthz", gateway.door("internal"));
    let today = day(&health).await;
    for offset in ["+3d", "-3d", "+40d"] {
        set(offset);
        while day(&health).await == today {}
        let leaving = Client::connect(gateway.door("public"), PATH).await.unwrap();
        drop(leaving);
        lives.backend.next("cleanup").await;
        client.send(offset).await;
        assert_eq!(lives.backend.next("transmit").await.data(), offset);
    }
    set("-40d");
    drop(client);
    lives.backend.next("cleanup").await;
    lives.backend.always("cleanup", Reply::ok());
    lives.backend.oracle().all_cleaned_up().await;
    let url = format!("http://{}/cleanups", gateway.door("internal"));
    let list = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(list.contains(r#""givenUp":0"#), "{list}");
    Lives::end(gateway).await;
    lives.backend.oracle().check();
}

/// Three days later by the clock of the next life, the first attempt is not the only one.
#[tokio::test]
async fn what_was_left_long_ago_is_not_given_up_at_once() {
    if is_missing() {
        return;
    }
    let lives = Lives::new("").await;
    lives.backend.always("cleanup", Reply::status(500));
    let gateway = lives.begin().await;
    drop(Client::connect(gateway.door("public"), PATH).await.unwrap());
    lives.backend.next("cleanup").await;
    Lives::end(gateway).await;
    while lives.backend.was_called("cleanup").await {
        lives.backend.next("cleanup").await;
    }
    let later =
        [("LD_PRELOAD", LIBRARY), ("FAKETIME", "+3d"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let gateway = Process::start("gateway", &[], lives.folder.path(), &later).await;
    for _ in 0..3 {
        lives.backend.next("cleanup").await;
    }
    lives.backend.always("cleanup", Reply::ok());
    lives.backend.oracle().all_cleaned_up().await;
    Lives::end(gateway).await;
}
