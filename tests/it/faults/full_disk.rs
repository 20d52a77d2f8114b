//! The journal cannot be written: nobody new is taken in, and nobody who is there is let down.

use std::process::Command;

use nix::sys::signal::Signal;

use super::{
    crowd::{connect, gate},
    life::{Lives, PATH},
};
use crate::support::{
    client::{Client, Refused},
    process::{Process, binary, run_shell},
};

/// More clients than the space that there is has room for.
const CLIENTS: usize = 5000;

/// The system refuses to let a file grow beyond this, as a full disk would.
const LIMIT: &str = "trap '' XFSZ; ulimit -S -f 128";

/// Connects until there is no room for one more debt; and the answer to the one that is refused.
async fn fill(gateway: &Process) -> (Vec<Client>, Refused) {
    let mut clients = Vec::new();
    loop {
        match Client::connect(gateway.door("public"), PATH).await {
            Ok(client) => clients.push(client),
            Err(refused) => return (clients, refused),
        }
        assert!(clients.len() < CLIENTS, "the space never ended");
    }
}

fn make_room(gateway: &Process) {
    let pid = gateway.pid().to_string();
    let raised = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &pid]).status();
    assert!(raised.unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_refused_until_there_is_room_again() {
    let lives = Lives::new("").await;
    let oracle = lives.backend.oracle();
    let gateway = Process::start_after(LIMIT, "gateway", lives.folder.path()).await;
    let address = gateway.door("public");
    let (mut clients, refused) = fill(&gateway).await;
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

    make_room(&gateway);
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

/// What can still be read does not look as if the journal could be used again.
#[tokio::test]
async fn a_full_disk_is_told_once() {
    let lives = Lives::new("").await;
    let log = lives.folder.path().join("log");
    let shell = format!("{LIMIT}\nexec 2>{}", log.display());
    let gateway = Process::start_after(&shell, "gateway", lives.folder.path()).await;
    let (clients, _) = fill(&gateway).await;
    let url = format!("http://{}/cleanups", gateway.door("internal"));
    for _ in 0..3 {
        assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
        assert!(Client::connect(gateway.door("public"), PATH).await.is_err());
    }
    make_room(&gateway);
    drop(clients);
    lives.backend.oracle().all_cleaned_up().await;
    Lives::end(gateway).await;
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("the journal cannot be used").count(), 1, "{log}");
}

/// More cleanups than are kept in memory, when those of the others cannot be written down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleanups_without_a_place_are_delivered_when_there_is_room_again() {
    const PLACES: usize = 10;
    let lives = Lives::new(&format!("cleanup = {{ queue = {PLACES} }}")).await;
    let oracle = lives.backend.oracle();
    let gate = gate(&lives.backend, "cleanup");
    let gateway = Process::start_after(LIMIT, "gateway", lives.folder.path()).await;
    drop(fill(&gateway).await);
    // Those that have a place end, so the others could follow.
    for _ in 0..PLACES {
        lives.backend.next("cleanup").await;
    }
    gate.add_permits(CLIENTS);
    let url = format!("http://{}/cleanups", gateway.door("internal"));
    let mut status = reqwest::StatusCode::OK;
    while oracle.cleaned_up() < PLACES {
        status = reqwest::get(&url).await.unwrap().status();
    }
    // What it would list is not what there is.
    assert_eq!(status, 503);
    make_room(&gateway);
    oracle.all_cleaned_up().await;
    Lives::end(gateway).await;
    oracle.check();
}

/// A gateway that was killed comes back, and delivers when there is room. One that never had a
/// journal says what to do.
#[tokio::test]
async fn a_gateway_starts_on_a_full_disk() {
    let full = "trap '' XFSZ; ulimit -S -f 0";
    let lives = Lives::with("", "timeout = '1s'").await;
    let gateway = lives.begin().await;
    let _clients = connect(gateway.door("public"), PATH, 30).await;
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    let gateway = Process::start_after(full, "gateway", lives.folder.path()).await;
    let refused = Client::connect(gateway.door("public"), PATH).await.err().unwrap();
    assert_eq!(refused.status(), 503);
    make_room(&gateway);
    lives.backend.oracle().all_cleaned_up().await;
    Lives::end(gateway).await;
    lives.backend.oracle().check();

    std::fs::remove_dir_all(lives.folder.path().join("data")).unwrap();
    let shell = format!("{full}\n{} 2>&1 | cat >&2", binary("gateway").display());
    let ended = run_shell(&shell, lives.folder.path()).await;
    assert!(ended.stderr.contains("free space"), "{}", ended.stderr);
}
