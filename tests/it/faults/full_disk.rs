//! The journal cannot be written: nobody new is taken in, and nobody who is there is let down.

use std::process::Command;

use super::life::{Lives, PATH};
use crate::support::{client::Client, process::Process};

/// More clients than the space that there is has room for.
const CLIENTS: usize = 5000;

/// The system refuses to let a file grow beyond this, as a full disk would.
const LIMIT: &str = "trap '' XFSZ; ulimit -S -f 128";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_refused_until_there_is_room_again() {
    let lives = Lives::new("").await;
    let oracle = lives.backend.oracle();
    let gateway = Process::start_after(LIMIT, "gateway", lives.folder.path()).await;
    let address = gateway.door("public");
    let mut clients = Vec::new();
    let refused = loop {
        match Client::connect(address, PATH).await {
            Ok(client) => clients.push(client),
            Err(refused) => break refused,
        }
        assert!(clients.len() < CLIENTS, "the space never ended");
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");
    assert_eq!(
        oracle.registered(),
        clients.len(),
        "register was called for a client without a debt"
    );

    // Those who are there are served, and cleaned up.
    clients[0].send("hello").await;
    assert_eq!(lives.backend.next("transmit").await.data(), "hello");
    let rest = clients.split_off(1);
    drop(clients);
    lives.backend.next("cleanup").await;

    let raised = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &gateway.pid().to_string()])
        .status()
        .unwrap();
    assert!(raised.success());
    // Written is what had to wait, and new clients are taken in.
    let coming = loop {
        if let Ok(client) = Client::connect(address, PATH).await {
            break client;
        }
    };
    drop((rest, coming));
    oracle.all_cleaned_up().await;
    Lives::end(gateway).await;
    oracle.check();

    // So the next life has nothing to do.
    let gateway = lives.begin().await;
    let url = format!("http://{}/cleanups", gateway.door("internal"));
    let list = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(list.contains(r#""owed":0"#), "{list}");
    Lives::end(gateway).await;
    oracle.check();
}
