//! Nothing is left of a function when the runner has gone, however it went: no child, and nothing
//! that a child has started.

use std::{fs, path::Path};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::functions::{folder, function, has, write};
use crate::support::{process::Process, soon};

/// Starts something of its own, and tells the process ids of both.
const BREEDS: &str = r#"#!/bin/bash
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
    write(folder.path(), "bash/bootstrap", BREEDS);
    let text: String = ["python", "node", "bash"].map(|name| function(name, "")).concat();
    let text = format!("listen.internal = \"127.0.0.1:0\"\n{text}");
    write(folder.path(), "functions.toml", &text);
    let runner = Process::start("function-runner", &[], folder.path(), &[]).await;

    let mut processes = Vec::new();
    for (name, act) in [("python", "pause"), ("node", "pause"), ("bash", "tell")] {
        let address = runner.door("internal");
        let url = format!("http://{address}/functions/{name}/invocations");
        let request = reqwest::Client::new().post(url).body(json!({ "do": act }).to_string());
        let reply = soon("an answer", request.send()).await.unwrap().text().await.unwrap();
        match serde_json::from_str(&reply).unwrap() {
            Value::Array(ids) => processes.extend(ids),
            id => processes.push(id),
        }
    }
    assert_eq!(processes.len(), 4, "{processes:?}");
    assert!(processes.iter().all(lives), "{processes:?}");

    runner.signal(signal);
    runner.ended().await;
    soon("the end of all processes", async {
        while processes.iter().any(lives) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Whether a process runs: one that has ended and is not reaped by whoever inherited it does not.
fn lives(id: &Value) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat"));
    stat.is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| !rest.starts_with('Z')))
}

#[tokio::test]
async fn nothing_is_left_after_a_drain() {
    check(Signal::SIGTERM).await;
}

#[tokio::test]
async fn nothing_is_left_after_the_runner_was_killed() {
    check(Signal::SIGKILL).await;
}
