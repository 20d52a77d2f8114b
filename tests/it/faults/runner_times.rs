//! What the runner says of its functions decides when a cleanup is due: while the gateway runs, and
//! after it was killed.

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::runs::{GatewayRuns, PATH};
use crate::support::{
    access::OPERATOR,
    backend::Backend,
    between::Between,
    client::Client,
    process::{Process, run_shell},
    soon,
    world::World,
};

/// Runs of one gateway whose transmit function is a function of `between`, which stands for a
/// runner.
struct RunnerRuns {
    backend: Backend,
    between: Between,
    folder: TempDir,
}

impl RunnerRuns {
    /// The runner's functions have a timeout of one second. None runs.
    async fn new(api: &str) -> Self {
        let backend = Backend::start().await;
        let between = Between::start(&backend, false).await;
        between.list(1000, 0);
        let folder = tempfile::tempdir().unwrap();
        let text = settings(&between.url, &backend.url, "transmit", api);
        fs::write(folder.path().join("gateway.toml"), text).unwrap();
        Self { backend, between, folder }
    }

    async fn start(&self) -> Process {
        Process::start("gateway", &[], self.folder.path(), &[]).await
    }

    /// A client with a message in flight.
    async fn speak(&self, gateway: &Process) -> (Client, String) {
        let mut client = Client::connect(gateway.address("public"), PATH).await.unwrap();
        let id = self.backend.next("register").await.id().to_owned();
        client.send("hello").await;
        self.backend.next("transmit").await;
        (client, id)
    }
}

fn settings(runner: &str, backend: &str, transmit: &str, api: &str) -> String {
    format!(
        r#"
        listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
        log = {{ filter = "off" }}
        runner = {{ url = "{runner}" }}
        drain = {{ timeout = "5s", spread = "0s" }}
        [[api]]
        id = "api-test"
        path = "{PATH}"
        register = "register"
        transmit = "{transmit}"
        cleanup = "{backend}/cleanup"
        {api}
        "#
    )
}

/// The gateway is killed while an event waits for an instance that is being started. Its row says
/// one second, the runner says four.
#[tokio::test]
async fn after_a_kill_the_runner_says_when_its_invocations_end() {
    let runs = RunnerRuns::new("").await;
    let gateway = runs.start().await;
    let gate = runs.backend.hold("transmit");
    let (_client, id) = runs.speak(&gateway).await;
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    runs.between.list(1000, 4000);
    let begin = Instant::now();
    let gateway = runs.start().await;
    let cleanup = runs.backend.next("cleanup").await;
    assert_eq!((cleanup.id(), cleanup.websocket("closeReason")), (&*id, "crash"));
    assert!(begin.elapsed() >= Duration::from_secs(4), "{:?}", begin.elapsed());
    gate.notify_one();
    GatewayRuns::end(gateway).await;
}

/// The runner is asked again until it answers.
#[tokio::test]
async fn after_a_kill_the_runner_may_answer_late() {
    let runs = RunnerRuns::new("").await;
    let gateway = runs.start().await;
    let gate = runs.backend.hold("transmit");
    let (_client, _) = runs.speak(&gateway).await;
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    gate.notify_one();
    runs.between.list_nothing();
    let begin = Instant::now();
    let gateway = runs.start().await;
    let url = format!("http://{}/cleanups", gateway.address("internal"));
    // Its row says one second.
    while begin.elapsed() < Duration::from_secs(4) {
        let list = crate::support::access::get(&url).await.unwrap().text().await.unwrap();
        assert!(list.contains(r#""backlog":1,"#), "{list}");
    }
    runs.between.list(1000, 0);
    runs.backend.oracle().all_cleaned_up().await;
    GatewayRuns::end(gateway).await;
    runs.backend.oracle().check();
}

/// Its functions end with it, at the latest when their own timeout has passed.
#[tokio::test]
async fn a_runner_that_was_killed_delays_its_cleanups_by_the_timeout_of_the_function() {
    let runs = RunnerRuns::new("").await;
    let gateway = runs.start().await;
    let gate = runs.backend.hold("transmit");
    let (mut client, id) = runs.speak(&gateway).await;
    gate.notify_one();
    let RunnerRuns { backend, between, folder: _folder } = runs;
    between.end().await;
    assert_eq!(client.closed().await, 1011);
    let cleanup = backend.next("cleanup").await;
    assert_eq!((cleanup.id(), cleanup.websocket("closeReason")), (&*id, "fault"));
    GatewayRuns::end(gateway).await;
}

/// The runner may not have given the event to a process yet, so its own timeout says nothing.
#[tokio::test]
async fn a_runner_that_does_not_answer_delays_its_cleanups_by_the_function_timeout_of_the_api() {
    let runs = RunnerRuns::new("function_timeout = '4s'").await;
    let gateway = runs.start().await;
    let gate = runs.backend.hold("transmit");
    let begin = Instant::now();
    let (mut client, _) = runs.speak(&gateway).await;
    runs.between.list_nothing();
    runs.between.cut();
    assert_eq!(client.closed().await, 1011);
    runs.backend.next("cleanup").await;
    assert!(begin.elapsed() >= Duration::from_secs(5), "{:?}", begin.elapsed());
    gate.notify_one();
    GatewayRuns::end(gateway).await;
}

/// One client's call breaks off while the gateway has no descriptor left to ask the runner with.
/// That is no sign that the runner is gone. Another client's cleanup is due later, and comes first.
#[tokio::test]
async fn a_gateway_without_descriptors_does_not_take_the_runner_for_gone() {
    let runs = RunnerRuns::new("").await;
    let gateway = runs.start().await;
    let _gate = runs.backend.hold("transmit");
    let (mut first, _) = runs.speak(&gateway).await;
    let mut internal = TcpStream::connect(gateway.address("internal")).await.unwrap();
    assert!(cleanups(&mut internal).await.contains(r#""backlog":0"#));
    limit_descriptors(&gateway, "3:").await;
    runs.between.cut();
    assert_eq!(first.closed().await, 1011);
    soon("a row", async { while !cleanups(&mut internal).await.contains(r#""backlog":1"#) {} })
        .await;
    limit_descriptors(&gateway, "1000:").await;
    let (mut second, later) = runs.speak(&gateway).await;
    runs.between.list(1000, 3000);
    runs.between.cut();
    assert_eq!(second.closed().await, 1011);
    assert_eq!(runs.backend.next("cleanup").await.id(), later);
    GatewayRuns::end(gateway).await;
}

/// Sets the soft limit of open files of a running gateway.
async fn limit_descriptors(gateway: &Process, limit: &str) {
    let command = format!("/usr/bin/prlimit --pid {} --nofile={limit}", gateway.pid());
    let exit = run_shell(&command, std::path::Path::new("/")).await;
    assert!(exit.status.success(), "{}", exit.stderr);
}

/// `GET /cleanups`, on a connection that stays open.
async fn cleanups(internal: &mut TcpStream) -> String {
    let head = "GET /cleanups HTTP/1.1\r\nHost: localhost\r\n";
    let request = format!("{head}Authorization: Bearer {OPERATOR}\r\n\r\n");
    internal.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let bytes = soon("an answer", internal.read(&mut answer)).await.unwrap();
    String::from_utf8(answer[..bytes].to_vec()).unwrap()
}

/// The settings change while the call runs, and a drain cuts the call off. The function that has
/// the event is still the one of a service, which the runner does not know.
#[tokio::test]
async fn the_settings_of_a_call_count_and_not_those_of_its_end() {
    let backend = Backend::start().await;
    let between = Between::start(&backend, false).await;
    between.list(1000, 0);
    let text = |transmit: &str| settings(&between.url, "BACKEND", transmit, "timeout = '10m'");
    let world = World::launch(backend, &text("BACKEND/transmit")).await;
    let _gate = world.backend.hold("transmit");
    let (mut client, _) = world.client().await;
    client.send("hello").await;
    world.backend.next("transmit").await;
    let more = r#"
        [[api]]
        id = "api-more"
        path = "/release/more"
        transmit = "BACKEND/transmit"
    "#;
    world.change(&(text("transmit") + more)).await;
    soon("the new API", accepted(world.listeners.public, "/release/more")).await;
    let backend = world.backend.clone();
    world.stop.cancel();
    assert_eq!(client.closed().await, 1011);
    world.stopped().await.unwrap();
    assert!(!backend.was_called("cleanup").await);
}

async fn accepted(public: SocketAddr, path: &str) -> Client {
    loop {
        if let Ok(client) = Client::connect(public, path).await {
            return client;
        }
    }
}
