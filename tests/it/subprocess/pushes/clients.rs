//! Functions that push, with HTTP clients of several languages, at any time.

use std::fs;

use futures_util::future::join_all;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::{Functions, Gateway, code, eval, fifo, settings, start};
use crate::{
    subprocess::{
        functions::{cloud_python, folder, function, has, write},
        pushes::gateway::Got,
    },
    support::{
        access, soon,
        world::{World, data_send},
    },
};

const OK: &str = r#"{"errNo":0,"errMsg":"ok"}"#;

/// A function in `language` that posts its event to its address, and returns the answer.
async fn check(language: &str, file: &str, code: &str) {
    if !has(language) {
        return;
    }
    let (gateway, folder) = (Gateway::start().await, folder());
    write(folder.path(), file, code);
    let lines =
        "timeout = \"60s\"\nenvironment.url = \"${push}/api-x\"\npush_to = [\"api-x\", \"b\"]";
    let text = format!("variables.push = \"{}\"\n{}", gateway.url, function(language, lines));
    let functions = Functions::start_in(folder, &text).await;
    for event in [json!({ "websocket": "h\u{e9}llo" }), json!("x".repeat(100_000))] {
        let answer = functions.returns(language, &event).await;
        assert_eq!(answer, json!({ "errNo": 0, "errMsg": "ok" }));
        let push = gateway.push().await;
        assert_eq!(push.head, "POST /api-x");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&push.body).unwrap(), event);
        assert_eq!(push.headers["content-type"], "application/json");
        assert_eq!(push.headers["authorization"], format!("Bearer {}", access::SERVICE));
        assert_eq!(push.headers["longhold-function"], language);
        assert_eq!(push.headers["longhold-push-to"], "api-x,b");
        let host = gateway.url.trim_start_matches("http://");
        assert_eq!(push.headers["host"], host, "the address of the function is not passed on");
    }
    gateway.nothing().await;
    functions.finish().await;
}

#[tokio::test]
async fn a_function_in_python_pushes() {
    let code = "import json, os, urllib.request\n\
        def main_handler(event, context):\n    \
        request = urllib.request.Request(os.environ['url'], json.dumps(event).encode(),\n        \
        {'Content-Type': 'application/json'})\n    \
        with urllib.request.urlopen(request) as answer:\n        \
        return json.load(answer)\n";
    check("python", "python/index.py", code).await;
}

/// Libraries that functions in Python use, each in a program of its own with this Python.
#[tokio::test]
async fn libraries_of_python_push_to_the_address_as_it_is() {
    let Some(python) = cloud_python() else { return };
    let gateway = Gateway::start().await;
    // This Python may be in /tmp, if the repository is checked out there.
    let lines = format!("private_tmp = false\nenvironment.PYTHON = {python:?}");
    let functions = start(&gateway, &lines).await;
    for (library, call) in [
        ("requests", "requests.post(url, json={'a': 1}).json()"),
        ("requests", "requests.Session().post(url, data='{}').json()"),
        ("urllib3", "json.loads(urllib3.request('POST', url, body=b'{}').data)"),
        (
            "urllib3",
            "json.loads(urllib3.PoolManager().urlopen('POST', url, body=iter([b'{', b'}'])).data)",
        ),
        ("http.client", "urllib_of(url)"),
    ] {
        let call = call.replace(
            "urllib_of(url)",
            "json.load((lambda u: (c := http.client.HTTPConnection(u.netloc), \
             c.request('POST', u.path, b'{}'), c.getresponse())[2])(urllib.parse.urlsplit(url)))",
        );
        let program = format!(
            "import json, os, urllib.parse, {library}\nurl = os.environ['url']\nprint({call})"
        );
        let run = format!(
            "subprocess.run([os.environ['PYTHON'], '-c', {program:?}], \
             capture_output=True, text=True, check=True).stdout"
        );
        assert_eq!(eval(&functions, &run).await, "{'errNo': 0, 'errMsg': 'ok'}\n", "{call}");
        assert_eq!(gateway.push().await.head, "POST /api-x", "{call}");
    }
    gateway.nothing().await;
    functions.finish().await;
}

#[tokio::test]
async fn a_function_in_node_pushes() {
    let code = "exports.main_handler = async (event) => {\n\
        const headers = { 'content-type': 'application/json' };\n\
        const body = JSON.stringify(event);\n\
        const answer = await fetch(process.env.url, { method: 'POST', headers, body });\n\
        return answer.json();\n};";
    check("node", "node/index.js", code).await;
}

/// With more than 1 MiB, and with a long body that is not JSON, curl asks before it sends.
#[tokio::test]
async fn a_function_in_bash_pushes() {
    let code = r#"#!/bin/bash
api="http://$SCF_RUNTIME_API:$SCF_RUNTIME_API_PORT/runtime/invocation"
event=$(mktemp)
while curl -s -o "$event" "$api/next"; do
  answer=$(curl -s -H 'expect: 100-continue' -H 'content-type: application/json' --data-binary "@$event" "$url")
  curl -s -o /dev/null "$api/response" -d "$answer"
done"#;
    check("bash", "bash/bootstrap", code).await;
}

/// The events and the pushes of a custom runtime share their connections if its client keeps some.
#[tokio::test]
async fn a_runtime_that_keeps_one_connection_pushes_on_it() {
    let code = r#"#!/usr/bin/env python3
import http.client, os
connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["SCF_RUNTIME_API_PORT"]))
def ask(method, path, body=None):
    connection.request(method, path, body, {"content-type": "application/json"})
    return connection.getresponse().read()
while True:
    event = ask("GET", "/runtime/invocation/next")
    ask("POST", "/runtime/invocation/response", ask("POST", "/api-x", event))
"#;
    if has("python") {
        check("bash", "bash/bootstrap", code).await;
    }
}

#[tokio::test]
async fn a_function_pushes_when_it_is_loaded_from_threads_and_from_programs_that_it_starts() {
    if !has("python") || !has("bash") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "environment.LOAD = \"x\"").await;
    assert_eq!(eval(&functions, "at_load").await, json!([200, { "errNo": 0, "errMsg": "ok" }]));
    assert_eq!(gateway.push().await.body, "at load");
    eval(&functions, "in_thread(lambda: push('in a thread'))").await;
    assert_eq!(gateway.push().await.body, "in a thread");
    let curl = "subprocess.check_output(['curl', '-s', '-d', 'by a program', URL]).decode()";
    assert_eq!(eval(&functions, curl).await, OK);
    assert_eq!(gateway.push().await.body, "by a program");
    functions.finish().await;
}

/// A timer goes off while the function has no event.
#[tokio::test]
async fn a_function_pushes_between_two_events() {
    if !has("node") {
        return;
    }
    let (gateway, folder) = (Gateway::start().await, folder());
    let code = "exports.main_handler = async (event) => {\n\
        setTimeout(() => fetch(process.env.url, { method: 'POST', body: 'late' }), 50);\n\
        return event;\n};";
    write(folder.path(), "node/index.js", code);
    let lines = "environment.url = \"${push}/api-x\"\ntimeout = \"60s\"";
    let text = format!("variables.push = \"{}\"\n{}", gateway.url, function("node", lines));
    let functions = Functions::start_in(folder, &text).await;
    functions.returns("node", &json!(1)).await;
    assert_eq!(gateway.push().await.body, "late");
    functions.finish().await;
}

/// The gateway has the begin of a push before its function has sent the end.
#[tokio::test]
async fn a_push_is_passed_on_as_it_comes() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    let go_on = fifo(functions.folder.path(), "go-on");
    let slow = format!(
        "(lambda connection: (\
            connection.sendall(b'POST /api-x HTTP/1.1\\r\\nhost: localhost\\r\\n\
                content-length: 10\\r\\nconnection: close\\r\\n\\r\\nfirst'), \
            open({go_on:?}).read(), connection.sendall(b' last'), rest_of(connection))[-1])(connect())"
    );
    let going_on = async {
        match gateway.next().await {
            Got::Begin(begin) => assert_eq!(begin, "first"),
            got => panic!("{got:?}"),
        }
        spawn_blocking(move || fs::write(go_on, "x")).await.unwrap().unwrap();
        assert_eq!(gateway.push().await.body, "first last");
    };
    let (answer, ()) = tokio::join!(eval(&functions, &slow), going_on);
    let answer = answer.as_str().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(OK), "{answer}");
    functions.finish().await;
}

/// HTTP clients open a connection for each push that they make at once, and keep it.
#[tokio::test]
async fn hundreds_of_pushes_at_once_are_answered_and_the_function_too() {
    if !has("node") {
        return;
    }
    let (gateway, folder) = (Gateway::start().await, folder());
    let code = "exports.main_handler = async (event) => {\n\
        const push = async (body) => (await fetch(process.env.url, { method: 'POST', body })).json();\n\
        const all = Array.from({ length: event }, (_, number) => push(`${number}`));\n\
        return (await Promise.all(all)).filter((answer) => answer.errNo === 0).length;\n};";
    write(folder.path(), "node/index.js", code);
    let lines = "environment.url = \"${push}/api-x\"\ntimeout = \"60s\"\nmemory_mb = 512";
    let text = format!("variables.push = \"{}\"\n{}", gateway.url, function("node", lines));
    let functions = Functions::start_in(folder, &text).await;
    for count in [300, 1, 300] {
        assert_eq!(functions.returns("node", &json!(count)).await, count);
        join_all((0..count).map(|_| gateway.push())).await;
    }
    functions.finish().await;
}

/// Connections that are kept do not keep a custom runtime from its next event.
#[tokio::test]
async fn idle_connections_give_way_to_those_of_the_runtime() {
    if !has("python") || !has("bash") {
        return;
    }
    let (gateway, folder) = (Gateway::start().await, folder());
    write(folder.path(), "python/index.py", super::PUSHES);
    let functions = Functions::start_in(folder, &settings(&gateway.url, "max_instances = 1")).await;
    let keep = "globals().setdefault('kept', []).clear() or [(lambda c: (\
            c.sendall(b'POST /api-x HTTP/1.1\\r\\nhost: localhost\\r\\ncontent-length: 2\\r\\n\
                \\r\\n{}'), c.recv(99), kept.append(c)))(connect()) \
        for _ in range(61)] and len(kept)";
    assert_eq!(eval(&functions, keep).await, 61);
    join_all((0..61).map(|_| gateway.push())).await;
    // There is no room for these, and for one more, before idle ones have given way.
    assert_eq!(eval(&functions, "[kept.append(connect()) for _ in range(5)] and 1").await, 1);
    let answer = eval(&functions, "push('more')").await;
    assert_eq!(answer[0], 200, "{answer}");
    assert_eq!(gateway.push().await.body, "more");
    functions.finish().await;
}

#[tokio::test]
async fn a_push_of_a_function_reaches_the_client_of_a_real_gateway() {
    if !has("python") {
        return;
    }
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    let gateway = format!("http://{}", world.listeners.internal);
    let text = settings(&gateway, "push_to = [\"api-test\"]").replace("api-x", "api-test");
    let functions = Functions::start_in(code(), &text).await;
    let push = data_send(register.id(), "hello").to_string();
    let answer = eval(&functions, &format!("push({push:?})")).await;
    assert_eq!(answer, json!([200, { "errNo": 0, "errMsg": "ok" }]));
    assert_eq!(client.receive_text().await, "hello");
    // Many at once: more than the gateway answers in one piece, with numbers of their own.
    let ids: Vec<_> = (0..2000).map(|number| format!("gone-{number}")).collect();
    let push = json!({ "websocket": { "action": "closing", "secConnectionIDs": ids } });
    let answer = eval(&functions, &format!("push({:?})", push.to_string())).await;
    assert_eq!(answer[1]["failed"].as_array().unwrap().len(), 2000);
    client.close(1000.into()).await;
    soon("the cleanup", world.backend.next("cleanup")).await;
    functions.finish().await;
    world.finish().await;
}
