//! SIGTERM of the gateway and of the runner at the same moment, as `docker compose down` without an
//! order, Ctrl-C in a terminal and the end of a pod send it.

use std::{fs, net::TcpListener, path::Path};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::crowd::connect;
use crate::support::{client::Client, process::Process, soon};

const PATH: &str = "/release/chat";

/// A gateway and a runner with the functions of the chat, whose roster is a folder.
struct Services {
    folder: TempDir,
    gateway: Process,
    runner: Process,
}

impl Services {
    /// `drain` is that of the runner.
    async fn start(drain: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Each process must know the other's address, so the runner's port is chosen first.
        let probe = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap().to_string();
        drop(probe);
        let gateway = format!(
            r#"
            listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
            runner = {{ url = "http://{address}" }}
            [[api]]
            id = "api-chat"
            path = "{PATH}"
            register = "chat-register"
            transmit = "chat-transmit"
            cleanup = "chat-cleanup"
            "#
        );
        fs::write(folder.path().join("gateway.toml"), gateway).unwrap();
        let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
        let push = gateway.address("internal");
        let function = |name: &str| {
            format!(
                "[functions.chat-{name}]\nruntime = 'rust'\nhandler = '{name}'\ntimeout = '30s'\n\
                 environment = {{ url = 'http://{push}/api-chat', ROSTER_URL = 'roster' }}\n"
            )
        };
        let functions = ["register", "transmit", "cleanup"].map(function).concat();
        let runner = format!("listen.internal = '{address}'\n{drain}\n{functions}");
        fs::write(folder.path().join("functions.toml"), runner).unwrap();
        let runner = Process::start("function-runner", &[], folder.path(), &[]).await;
        Self { folder, gateway, runner }
    }

    async fn connect(&self, count: usize) -> Vec<Client> {
        let clients = connect(self.gateway.address("public"), PATH, count).await;
        assert_eq!(clients.len(), count);
        assert_eq!(in_roster(self.folder.path()), count);
        clients
    }

    /// Both processes end by themselves, all `clients` see 1001, and nobody is left in the roster.
    async fn end(self, clients: Vec<Client>) {
        let mut clients = clients;
        let codes = join_all(clients.iter_mut().map(Client::closed)).await;
        assert_eq!(codes, vec![1001; codes.len()]);
        assert_eq!(self.gateway.ended().await.code(), Some(0));
        assert_eq!(self.runner.ended().await.code(), Some(0));
        assert_eq!(in_roster(self.folder.path()), 0);
    }
}

fn in_roster(folder: &Path) -> usize {
    fs::read_dir(folder.join("roster")).unwrap().count()
}

/// Long enough for the notice of the gateway on a busy machine. After it the runner waits for the
/// gateway.
const DELAY: &str = "drain = { delay = '5s', timeout = '20m' }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_sees_1001_and_leaves_the_roster() {
    let services = Services::start(DELAY).await;
    let mut clients = services.connect(3).await;
    clients[0].send("hello").await;
    services.runner.signal(Signal::SIGTERM);
    services.gateway.signal(Signal::SIGTERM);
    services.end(clients).await;
}

/// With the settings that a user has who sets none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_do_clients_of_services_without_settings_of_drain() {
    let services = Services::start("").await;
    let mut clients = services.connect(3).await;
    clients[0].send("hello").await;
    services.runner.signal(Signal::SIGTERM);
    services.gateway.signal(Signal::SIGTERM);
    services.end(clients).await;
}

/// Some have sent a message, which is forwarded before the connection is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_do_several_hundred_clients() {
    let services = Services::start(DELAY).await;
    let mut clients = services.connect(300).await;
    for client in &mut clients[..20] {
        client.send("hello").await;
    }
    services.gateway.signal(Signal::SIGTERM);
    services.runner.signal(Signal::SIGTERM);
    services.end(clients).await;
}

/// The gateway is stopped when the runner drains already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runner_may_be_stopped_first() {
    let services = Services::start(DELAY).await;
    let clients = services.connect(20).await;
    let ready = format!("http://{}/readyz", services.runner.address("internal"));
    services.runner.signal(Signal::SIGTERM);
    soon("the drain", async {
        while crate::support::access::get(&ready).await.unwrap().status() != 503 {}
    })
    .await;
    services.gateway.signal(Signal::SIGTERM);
    services.end(clients).await;
}

/// A gateway whose clients have been quiet for a while has no connection to the runner. Here the
/// runner is a new one, which has never been called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_has_been_quiet_is_answered() {
    let mut services = Services::start(DELAY).await;
    let clients = services.connect(3).await;
    services.runner.signal(Signal::SIGKILL);
    services.runner.ended().await;
    services.runner = Process::start("function-runner", &[], services.folder.path(), &[]).await;
    services.runner.signal(Signal::SIGTERM);
    services.gateway.signal(Signal::SIGTERM);
    services.end(clients).await;
}

/// The runner forgets the notice of the first gateway, and takes that of the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_may_stop_and_start_again_under_a_running_runner() {
    let mut services = Services::start(&format!("log.filter = 'debug'\n{DELAY}")).await;
    let mut clients = services.connect(3).await;
    services.gateway.signal(Signal::SIGTERM);
    services.runner.logged("a caller drains").await;
    let codes = join_all(clients.iter_mut().map(Client::closed)).await;
    assert_eq!(codes, [1001; 3]);
    // Functions push to the address of the first one.
    let internal = services.gateway.address("internal").to_string();
    let again = [("LONGHOLD_GATEWAY__LISTEN__INTERNAL", internal.as_str())];
    assert_eq!(services.gateway.ended().await.code(), Some(0));
    assert_eq!(in_roster(services.folder.path()), 0);
    services.gateway = Process::start("gateway", &[], services.folder.path(), &again).await;
    let mut clients = services.connect(3).await;
    clients[0].send("hello").await;
    assert_eq!(clients[1].receive_text().await, "hello(===Online people:3===)");
    services.runner.signal(Signal::SIGTERM);
    services.gateway.signal(Signal::SIGTERM);
    services.end(clients).await;
}

/// The delay has passed before the first call of the drain: the gateway has told the runner that
/// it drains.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_waits_for_a_gateway_that_drains_for_longer_than_its_delay() {
    let services =
        Services::start("log.filter = 'debug'\ndrain = { delay = '0s', timeout = '20m' }").await;
    let clients = services.connect(20).await;
    services.gateway.signal(Signal::SIGTERM);
    services.gateway.logged("gateway draining").await;
    soon("the notice", services.runner.logged("a caller drains")).await;
    services.runner.signal(Signal::SIGTERM);
    services.end(clients).await;
}
