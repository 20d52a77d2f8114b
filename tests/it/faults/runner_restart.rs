//! The function-runner is stopped and started again under load.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt, future::join_all};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{client::Client, process::Process, soon};

const CONNECTIONS: usize = 64;
/// Messages of one connection that are in flight.
const WINDOW: usize = 8;
/// Echoes before the runner is stopped, and after it was started again.
const ECHOES: usize = 2000;
const DOWN: Duration = Duration::from_secs(2);

struct Services {
    folder: TempDir,
    runner_address: String,
    gateway: Process,
}

impl Services {
    async fn start() -> (Self, Process) {
        let folder = tempfile::tempdir().unwrap();
        // The runner is started again with the same port.
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let runner_address = probe.local_addr().unwrap().to_string();
        drop(probe);
        let settings = format!(
            r#"
            listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
            runner = {{ url = "http://{runner_address}" }}
            log = {{ filter = "error" }}
            [[api]]
            id = "api-echo"
            path = "/release/echo"
            transmit = "echo"
            "#
        );
        fs::write(folder.path().join("gateway.toml"), settings).unwrap();
        let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
        let push = gateway.address("internal");
        let settings = format!(
            r#"
            listen = {{ internal = "{runner_address}" }}
            log = {{ filter = "error" }}
            [functions.echo]
            runtime = "rust"
            handler = "echo"
            timeout = "10s"
            environment = {{ url = "http://{push}/api-echo" }}
            "#
        );
        fs::write(folder.path().join("functions.toml"), settings).unwrap();
        let services = Self { folder, runner_address, gateway };
        let runner = services.runner().await;
        (services, runner)
    }

    async fn runner(&self) -> Process {
        let runner = Process::start("function-runner", &[], self.folder.path(), &[]).await;
        assert_eq!(runner.address("internal").to_string(), self.runner_address);
        runner
    }
}

/// The echoes of all connections together.
#[derive(Default)]
struct EchoLoad {
    echoes: AtomicUsize,
    enough: AtomicBool,
}

impl EchoLoad {
    /// Waits until there have been `echoes` more.
    async fn more_echoes(&self, echoes: usize) {
        let enough = self.echoes.load(Ordering::Relaxed) + echoes;
        soon("the echoes", async {
            while self.echoes.load(Ordering::Relaxed) < enough {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// Sends numbers and reads them back in order, until there are enough or the gateway closes.
    /// Returns the code of the gateway's Close.
    async fn run(&self, mut client: Client) -> Option<u16> {
        let (mut sent, mut received) = (0, 0);
        loop {
            while sent < received + WINDOW && !self.enough.load(Ordering::Relaxed) {
                // An error means that the gateway has closed. The next read returns its Close.
                let _ = client.socket.send(Message::from(sent.to_string())).await;
                sent += 1;
            }
            if sent == received {
                client.close(1000.into()).await;
                return None;
            }
            match soon("an echo", client.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    assert_eq!(text.as_str(), received.to_string(), "lost or out of order");
                    received += 1;
                    self.echoes.fetch_add(1, Ordering::Relaxed);
                }
                Some(Ok(Message::Close(frame))) => return Some(frame.unwrap().code.into()),
                Some(Ok(_)) => {}
                other => panic!("no Close before {other:?}"),
            }
        }
    }
}

/// Ends the runner with `signal` under load, and starts it again. Returns the codes of the
/// connections that the gateway closed.
async fn restart_with(signal: Signal) -> Vec<u16> {
    let (services, runner) = Services::start().await;
    let load = Arc::new(EchoLoad::default());
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let client = Client::connect(services.gateway.address("public"), "/release/echo").await;
        let (load, client) = (Arc::clone(&load), client.ok().unwrap());
        connections.push(tokio::spawn(async move { load.run(client).await }));
    }
    load.more_echoes(ECHOES).await;
    runner.signal(signal);
    runner.ended().await;
    tokio::time::sleep(DOWN).await;
    let runner = services.runner().await;
    if !connections.iter().all(JoinHandle::is_finished) {
        load.more_echoes(ECHOES).await;
    }
    load.enough.store(true, Ordering::Relaxed);
    let codes = join_all(connections).await.into_iter().filter_map(Result::unwrap).collect();
    eprintln!("{} echoes", load.echoes.load(Ordering::Relaxed));
    assert_eq!(services.gateway.stopped().await.code(), Some(0));
    assert_eq!(runner.stopped().await.code(), Some(0));
    codes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_and_reorders_no_message() {
    assert_eq!(restart_with(Signal::SIGTERM).await, [] as [u16; 0]);
}

/// The messages of running calls may be lost, so these connections are closed with 1011. The others
/// stay open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_a_message_only_with_1011() {
    let codes = restart_with(Signal::SIGKILL).await;
    // Under this load some call is always running.
    assert!(!codes.is_empty());
    assert!(codes.iter().all(|code| *code == 1011), "{codes:?}");
}
