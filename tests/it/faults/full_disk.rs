//! The journal cannot be written: new clients are refused, and open connections are served and
//! cleaned up.

use std::process::Command;

use nix::sys::signal::Signal;

use super::{
    crowd::{connect, gate},
    runs::{GatewayRuns, PATH},
};
use crate::support::{
    access,
    client::{Client, Refused},
    process::{Process, binary, run_shell},
};

/// More clients than the space in the journal allows.
const CLIENTS: usize = 5000;

/// Limits the size of files. Writing beyond the limit fails, as on a full disk.
const LIMIT: &str = "trap '' XFSZ; ulimit -S -f 1024";

/// Connects clients until one is refused because its cleanup cannot be written. Returns the clients
/// and the answer to the refused one.
async fn fill(gateway: &Process) -> (Vec<Client>, Refused) {
    let mut clients = Vec::new();
    loop {
        match Client::connect(gateway.address("public"), PATH).await {
            Ok(client) => clients.push(client),
            Err(refused) => return (clients, refused),
        }
        assert!(clients.len() < CLIENTS, "the journal was never full");
    }
}

fn make_room(gateway: &Process) {
    let pid = gateway.pid().to_string();
    let raised = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &pid]).status();
    assert!(raised.unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_refused_until_the_disk_has_space_again() {
    let runs = GatewayRuns::new("").await;
    let oracle = runs.backend.oracle();
    let gateway = Process::start_after(LIMIT, "gateway", runs.folder.path()).await;
    let address = gateway.address("public");
    let (mut clients, refused) = fill(&gateway).await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");
    assert_eq!(
        oracle.registered(),
        clients.len(),
        "register was called for a client whose cleanup is not in the journal"
    );

    // Open connections are served and cleaned up.
    clients[0].send("hello").await;
    assert_eq!(runs.backend.next("transmit").await.data(), "hello");
    let rest = clients.split_off(1);
    drop(clients);
    runs.backend.next("cleanup").await;

    make_room(&gateway);
    // New clients are accepted again.
    let coming = loop {
        if let Ok(client) = Client::connect(address, PATH).await {
            break client;
        }
    };
    drop((rest, coming));
    oracle.all_cleaned_up().await;
    GatewayRuns::end(gateway).await;
    oracle.check();

    // Nothing is left for the next run.
    let gateway = runs.start().await;
    let url = format!("http://{}/cleanups", gateway.address("internal"));
    let list = access::get(url).await.unwrap().text().await.unwrap();
    assert!(list.contains(r#""owed":0"#), "{list}");
    GatewayRuns::end(gateway).await;
    oracle.check();
}

/// Reading the journal still works, which must not count as a recovery.
#[tokio::test]
async fn a_full_disk_is_logged_once() {
    let runs = GatewayRuns::new("").await;
    let log = runs.folder.path().join("log");
    let shell = format!("{LIMIT}\nexec 2>{}", log.display());
    let gateway = Process::start_after(&shell, "gateway", runs.folder.path()).await;
    let (clients, _) = fill(&gateway).await;
    let url = format!("http://{}/cleanups", gateway.address("internal"));
    for _ in 0..3 {
        assert_eq!(access::get(&url).await.unwrap().status(), 200);
        assert!(Client::connect(gateway.address("public"), PATH).await.is_err());
    }
    make_room(&gateway);
    drop(clients);
    runs.backend.oracle().all_cleaned_up().await;
    GatewayRuns::end(gateway).await;
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("the journal cannot be used").count(), 1, "{log}");
}

/// More cleanups than fit in memory, and their changes cannot be written to the journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleanups_without_a_permit_are_delivered_when_the_disk_has_space_again() {
    const PERMITS: usize = 10;
    let runs = GatewayRuns::new(&format!("cleanup = {{ queue = {PERMITS} }}")).await;
    let oracle = runs.backend.oracle();
    let gate = gate(&runs.backend, "cleanup");
    let gateway = Process::start_after(LIMIT, "gateway", runs.folder.path()).await;
    drop(fill(&gateway).await);
    // The cleanups with a permit end, which frees permits for the others.
    for _ in 0..PERMITS {
        runs.backend.next("cleanup").await;
    }
    gate.add_permits(CLIENTS);
    let url = format!("http://{}/cleanups", gateway.address("internal"));
    let mut status = reqwest::StatusCode::OK;
    while oracle.cleaned_up() < PERMITS {
        status = access::get(&url).await.unwrap().status();
    }
    // The list would not be complete.
    assert_eq!(status, 503);
    make_room(&gateway);
    oracle.all_cleaned_up().await;
    GatewayRuns::end(gateway).await;
    oracle.check();
}

/// A gateway that was killed starts again on the full disk, and delivers when there is space. A
/// gateway without a journal cannot start there, and says what to do.
#[tokio::test]
async fn a_gateway_starts_on_a_full_disk() {
    let full = "trap '' XFSZ; ulimit -S -f 0";
    let runs = GatewayRuns::with("", "function_timeout = '1s'").await;
    let gateway = runs.start().await;
    let _clients = connect(gateway.address("public"), PATH, 30).await;
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    let gateway = Process::start_after(full, "gateway", runs.folder.path()).await;
    let refused = Client::connect(gateway.address("public"), PATH).await.err().unwrap();
    assert_eq!(refused.status(), 503);
    make_room(&gateway);
    runs.backend.oracle().all_cleaned_up().await;
    GatewayRuns::end(gateway).await;
    runs.backend.oracle().check();

    std::fs::remove_dir_all(runs.folder.path().join("data")).unwrap();
    let shell = format!("{full}\n{} 2>&1 | cat >&2", binary("gateway").display());
    // Nothing can be made: the files of tokens come first, then the journal.
    let ended = run_shell(&shell, runs.folder.path()).await;
    let words = "access.service_file: data/service.token cannot be made";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    assert!(ended.stderr.contains("free space"), "{}", ended.stderr);
    let [service, operator] = access::files();
    let variable = "export LONGHOLD_GATEWAY__ACCESS__";
    let files = format!("{variable}SERVICE_FILE={service}\n{variable}OPERATOR_FILE={operator}");
    let ended = run_shell(&format!("{files}\n{shell}"), runs.folder.path()).await;
    assert!(!ended.stderr.contains("access."), "{}", ended.stderr);
    assert!(ended.stderr.contains("free space"), "{}", ended.stderr);
}
