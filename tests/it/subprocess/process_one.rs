//! The runner is process 1, as in a container: processes that have lost their parents are its
//! children, and are reaped when they have ended.

use serde_json::{Value, json};

use super::functions::{folder, function, has, write};
use crate::support::{
    access,
    machine::{allows, is_root},
    process::{Process, binary},
    soon,
};

/// Replies with the id of its parent, and how many processes have ended and were not reaped. Then
/// leaves behind 20 processes without a parent, which end at once.
const LEAVES_PROCESSES: &str = r#"#!/bin/bash
api="http://$SCF_RUNTIME_API:$SCF_RUNTIME_API_PORT/runtime"
while event=$(curl -s "$api/invocation/next"); do
  zombies=$(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l)
  if [ "$event" = '"leave"' ]; then
    for n in {1..20}; do (sleep 0 & exec true); done
  elif [ "$event" = '"exit"' ]; then
    exit 7
  fi
  curl -s -o /dev/null -X POST "$api/invocation/response" -d "[$PPID,$zombies]"
done
"#;

async fn check(program: &str, file: &str) {
    if !has("bash") || !is_root() || !allows("unshare --pid --fork --mount-proc true") {
        return;
    }
    let folder = folder();
    write(folder.path(), "bash/bootstrap", LEAVES_PROCESSES);
    let [service, operator] = access::files();
    let functions = format!(
        "listen.internal = \"127.0.0.1:0\"\n\
         access = {{ service_file = {service:?}, operator_file = {operator:?} }}\n{}",
        function("bash", ""),
    );
    write(folder.path(), "functions.toml", &functions);
    let gateway = "listen = { public = '127.0.0.1:0', internal = '127.0.0.1:0' }\n\
        [[api]]\nid = 'x'\npath = '/'\ntransmit = 'bash'\n";
    write(folder.path(), "gateway.toml", gateway);
    // The end of `unshare` ends all processes of the namespace.
    let shell = format!(
        "exec unshare --pid --fork --kill-child --mount-proc {}",
        binary(program).display()
    );
    let runner = Process::start_shell(&shell, folder.path()).await;
    let url = format!("http://{}/functions/bash/invocations", runner.address(file));
    let http = access::operator();
    let invoke = async |event: &str| {
        let request = http.post(&url).body(json!(event).to_string());
        let answer = soon("an answer", request.send()).await.unwrap();
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
    };
    for _ in 0..3 {
        assert_eq!(invoke("leave").await[0], 1, "the parent is process 1");
        let all_reaped = async { while invoke("count").await[1] != 0 {} };
        soon("the end of all zombies", all_reaped).await;
    }
    // The exit status of the runner's own child is the runner's.
    let ended = invoke("exit").await;
    assert_eq!(ended["errorMessage"], "process exited: exit status: 7", "{ended}");
    assert_eq!(invoke("count").await[0], 1);
}

#[tokio::test]
async fn a_runner_that_is_process_1_leaves_no_zombie() {
    check("function-runner", "internal").await;
}

#[tokio::test]
async fn longhold_that_is_process_1_leaves_no_zombie() {
    check("longhold", "function_runner").await;
}
