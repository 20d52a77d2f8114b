//! Processes that end between two events, of themselves or because of a limit: an event that a
//! process had not read did not run, and goes to another process. Only an event that was read is
//! answered 439.

use std::{collections::BTreeSet, fs, path::Path};

use futures_util::future::join_all;
use nix::{
    sys::{
        signal::{Signal, kill},
        stat::Mode,
    },
    unistd::{Pid, mkfifo},
};
use serde_json::{Value, json};
use tokio::task::yield_now;
use tokio_tungstenite::tungstenite::Message;

use super::{
    Functions,
    functions::{folder, function, has, write},
};
use crate::support::{backend::Backend, client::Client, soon, world::World};

const ASKING: &str = include_str!("functions/asking.py");
const DYING_PYTHON: &str = include_str!("functions/dying.py");
const DYING_NODE: &str = include_str!("functions/dying.js");
const LEAVING: &str = include_str!("functions/leaving");

const CLIENTS: usize = 50;
/// How many messages each client sends. `.ci/long` sets another number.
const MESSAGES: usize = 20;
const MESSAGES_VARIABLE: &str = "LONGHOLD_DYING_MESSAGES";

/// One process of a bootstrap in Python, which waits for its second event.
struct OneProcess {
    functions: Functions,
    process: Pid,
    /// The port of its runtime API.
    port: u16,
}

impl OneProcess {
    async fn start(lines: &str) -> Self {
        let folder = folder();
        write(folder.path(), "bash/bootstrap", ASKING);
        let asked = folder.path().join("asked");
        let lines = format!("environment.ASKED = {asked:?}\n{lines}");
        let functions = Functions::start_in(folder, &function("bash", &lines)).await;
        let (process, port) = reply(&functions).await;
        soon("the second question of the process", async {
            while fs::read_to_string(&asked).unwrap().lines().count() < 2 {
                yield_now().await;
            }
        })
        .await;
        Self { functions, process: Pid::from_raw(process), port }
    }

    fn signal(&self, signal: Signal) {
        kill(self.process, signal).unwrap();
    }

    /// Stops the process, and waits until it stands still.
    async fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
        soon("the stop of the process", async {
            let state = format!("/proc/{}/stat", self.process);
            while !fs::read_to_string(&state).unwrap().contains(") T ") {
                yield_now().await;
            }
        })
        .await;
    }

    /// Waits until the bytes that the process has not read are as many as `is_expected` says.
    async fn unread(&self, is_expected: fn(u64) -> bool) {
        let remote = format!("0100007F:{:04X}", self.port);
        soon("the event in the process's socket", async {
            while !unread_bytes(self.process, &remote).is_some_and(is_expected) {
                yield_now().await;
            }
        })
        .await;
    }
}

/// The process that replies, and the port of its runtime API.
async fn reply(functions: &Functions) -> (i32, u16) {
    let reply = functions.returns("bash", &json!({})).await;
    serde_json::from_value(reply).unwrap()
}

/// How many bytes of the socket that is connected to `remote` have arrived and were not read.
fn unread_bytes(process: Pid, remote: &str) -> Option<u64> {
    let sockets = fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap();
    let mut fields = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    // 01 stands for an established connection.
    let socket = fields.find(|fields| fields[2] == remote && fields[3] == "01")?;
    u64::from_str_radix(socket[4].split_once(':').unwrap().1, 16).ok()
}

#[tokio::test]
async fn an_event_that_a_killed_process_had_not_read_goes_to_another_one() {
    if !has("python") {
        return;
    }
    let one = OneProcess::start("timeout = \"20s\"").await;
    one.freeze().await;
    let killed = async {
        one.unread(|bytes| bytes > 0).await;
        one.signal(Signal::SIGKILL);
    };
    let ((process, _), ()) = tokio::join!(reply(&one.functions), killed);
    assert_ne!(process, one.process.as_raw());
    one.functions.finish().await;
}

#[tokio::test]
async fn an_event_that_a_killed_process_had_read_is_answered_439() {
    if !has("python") {
        return;
    }
    let one = OneProcess::start("timeout = \"20s\"").await;
    one.freeze().await;
    let killed = async {
        one.unread(|bytes| bytes > 0).await;
        one.signal(Signal::SIGCONT);
        one.unread(|bytes| bytes == 0).await;
        one.signal(Signal::SIGKILL);
    };
    let hang = json!({ "do": "hang" });
    let ((status, answer), ()) = tokio::join!(one.functions.invoke("bash", &hang), killed);
    assert_eq!(status, 439, "{answer}");
    one.functions.finish().await;
}

#[tokio::test]
async fn an_event_that_a_stopped_process_has_not_read_in_time_is_answered_432() {
    if !has("python") {
        return;
    }
    let one = OneProcess::start("timeout = \"1s\"").await;
    one.freeze().await;
    let (status, answer) = one.functions.invoke("bash", &json!({})).await;
    assert_eq!(status, 432, "{answer}");
    let message = answer["errorMessage"].as_str().unwrap();
    assert!(message.contains("took the event in time; the last one ended before: "), "{message}");
    assert_ne!(reply(&one.functions).await.0, one.process.as_raw());
    one.functions.finish().await;
}

/// The time that the runner says has room for the move to another process. That one does not get
/// ready, so the event is given up.
#[tokio::test]
async fn an_event_that_moves_ends_within_the_time_that_the_runner_says() {
    if !has("python") {
        return;
    }
    let one = OneProcess::start("timeout = \"8s\"").await;
    let never = one.functions.folder.path().join("asked-never");
    mkfifo(&never, Mode::S_IRWXU).unwrap();
    one.freeze().await;
    let killed = async {
        one.unread(|bytes| bytes > 0).await;
        let listed = one.functions.get("/functions").await.bytes().await.unwrap();
        let listed: Value = serde_json::from_slice(&listed).unwrap();
        let said = listed["functions"][0]["ends_within_ms"].as_u64().unwrap();
        // To go to another process, to be asked for there, and to run: 8 s each, and 2 s.
        assert!((18_001..=26_000).contains(&said), "{said}");
        one.signal(Signal::SIGKILL);
    };
    let event = json!({});
    let ((status, answer), ()) = tokio::join!(one.functions.invoke("bash", &event), killed);
    assert_eq!(status, 432, "{answer}");
    one.functions.finish().await;
}

#[tokio::test]
async fn a_process_that_ends_before_it_asks_for_an_event_gets_none() {
    if !has("bash") {
        return;
    }
    let folder = folder();
    write(folder.path(), "bash/bootstrap", LEAVING);
    let functions = Functions::start_in(folder, &function("bash", "max_instances = 1")).await;
    let mut processes = BTreeSet::new();
    for _ in 0..5 {
        processes.insert(functions.returns("bash", &json!({})).await.to_string());
    }
    assert_eq!(processes.len(), 5, "{processes:?}");
    functions.finish().await;
}

/// Sends events one after the other. Each has to be answered 200, or 439 if it had begun.
async fn send_to_dying(functions: &Functions, begun: &Path, what: &str, from: usize) {
    for number in from..from + 20 {
        let event = json!({ "do": what, "number": number, "begun": begun });
        let (status, answer) = functions.invoke("node", &event).await;
        let began = fs::read_to_string(begun).unwrap();
        let began = began.lines().filter(|line| **line == *number.to_string()).count();
        assert_eq!(began, 1, "event {number}, answered {status} {answer}");
        assert!(status == 439 || answer == json!(number), "{status} {answer}");
    }
}

#[tokio::test]
async fn events_of_others_survive_a_throw_and_a_rejection_after_a_reply() {
    if !has("node") {
        return;
    }
    let folder = folder();
    write(folder.path(), "node/index.js", DYING_NODE);
    let begun = folder.path().join("begun");
    fs::write(&begun, "").unwrap();
    let lines = "timeout = \"20s\"\nmax_instances = 3";
    let functions = Functions::start_in(folder, &function("node", lines)).await;
    let events = [("throw", 0), ("reject", 100), ("nothing", 200), ("nothing", 300)];
    let send = |(what, from)| send_to_dying(&functions, &begun, what, from);
    join_all(events.map(send)).await;
    functions.finish().await;
}

/// Sends all messages at once, and reads the replies. Returns the processes that have replied.
async fn talk(mut client: Client, messages: usize) -> BTreeSet<String> {
    let mut processes = BTreeSet::new();
    for number in 0..messages {
        client.send(number.to_string()).await;
    }
    for number in 0..messages {
        let Message::Text(reply) = client.receive().await else { panic!("closed at {number}") };
        let (process, data) = reply.split_once(' ').unwrap();
        assert_eq!(data, number.to_string());
        processes.insert(process.to_owned());
    }
    client.close(1000.into()).await;
    processes
}

/// `CLIENTS` send messages to processes that run `code` and end at random. `lines` are settings of
/// the function.
async fn check_no_loss(code: &str, lines: &str) {
    if !has("python") {
        return;
    }
    let messages = std::env::var(MESSAGES_VARIABLE)
        .map_or(MESSAGES, |messages| messages.parse().expect("a number of messages"));
    let folder = folder();
    write(folder.path(), "bash/bootstrap", code);
    let functions = Functions::start_in(folder, &function("bash", lines)).await;
    let settings = format!(
        r#"
        [listen]
        public = "127.0.0.1:0"
        internal = "127.0.0.1:0"
        [runner]
        url = "http://{}"
        [[api]]
        id = "api-test"
        path = "/dying"
        transmit = "bash"
        reply = true
        timeout = "60s"
        "#,
        functions.address(),
    );
    let world = World::launch(Backend::start().await, &settings).await;
    let clients = (0..CLIENTS).map(|_| Client::connect(world.listeners.public, "/dying"));
    let clients = join_all(clients).await.into_iter().map(Result::unwrap);
    let processes = join_all(clients.map(|client| talk(client, messages))).await;
    let processes: BTreeSet<_> = processes.into_iter().flatten().collect();
    assert!(processes.len() > 10, "none of the first processes has ended: {processes:?}");
    world.finish().await;
    functions.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_lost_by_processes_that_end_at_random_after_a_reply() {
    check_no_loss(DYING_PYTHON, "timeout = \"60s\"\nmax_instances = 10").await;
}

/// A process takes longer to start than an event may wait for another one, so some events are given
/// up, and their calls are repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_lost_by_processes_that_end_at_random_and_start_slowly() {
    let slow = format!("#!/usr/bin/env python3\nimport time\ntime.sleep(4)\n{DYING_PYTHON}");
    check_no_loss(&slow, "timeout = \"3s\"\nmax_instances = 10").await;
}
