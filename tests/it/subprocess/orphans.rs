//! When the runner has ended, by a drain or a kill, no process of a function is left: no child, and
//! no process that a child has started.

use std::{fs, path::Path};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::functions::{folder, function, has, write};
use crate::support::{process::Process, soon};

/// Starts a process, and replies with the process ids of both.
const STARTS_A_PROCESS: &str = r#"#!/bin/bash
api="http://$SCF_RUNTIME_API:$SCF_RUNTIME_API_PORT/runtime"
trap '' TERM
sleep 1000 &
while curl -s -o /dev/null "$api/invocation/next"; do
  curl -s -o /dev/null -X POST "$api/invocation/response" -d "[$$,$!]"
done
sleep 1000
"#;

async fn check(signal: Signal) {
    if !["python", "node", "bash"].into_iter().all(has) {
        return;
    }
    let folder = folder();
    write(folder.path(), "bash/bootstrap", STARTS_A_PROCESS);
    let text: String = ["python", "node", "bash"].map(|name| function(name, "")).concat();
    let text = format!("listen.internal = \"127.0.0.1:0\"\n{text}");
    write(folder.path(), "functions.toml", &text);
    let runner = Process::start("function-runner", &[], folder.path(), &[]).await;

    let mut processes = Vec::new();
    for (name, act) in [("python", "pause"), ("node", "pause"), ("bash", "tell")] {
        let address = runner.address("internal");
        let url = format!("http://{address}/functions/{name}/invocations");
        let request =
            crate::support::access::operator().post(url).body(json!({ "do": act }).to_string());
        let reply = soon("an answer", request.send()).await.unwrap().text().await.unwrap();
        match serde_json::from_str(&reply).unwrap() {
            Value::Array(ids) => processes.extend(ids),
            id => processes.push(id),
        }
    }
    assert_eq!(processes.len(), 4, "{processes:?}");
    assert!(processes.iter().all(is_running), "{processes:?}");

    runner.signal(signal);
    runner.ended().await;
    soon("the end of all processes", async {
        while processes.iter().any(is_running) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Whether a process runs. A zombie does not.
fn is_running(id: &Value) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat"));
    stat.is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| !rest.starts_with('Z')))
}

#[tokio::test]
async fn no_process_is_left_after_a_drain() {
    check(Signal::SIGTERM).await;
}

#[tokio::test]
async fn no_process_is_left_after_the_runner_was_killed() {
    check(Signal::SIGKILL).await;
}
