//! No log line of any level carries what clients and functions say to each other, nor what the
//! settings keep secret. Every secret of these tests contains the same word.

use std::fs;

use http::HeaderValue;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::functions::{has, write};
use crate::support::{
    backend::{Backend, Reply},
    client::{Client, request},
    process::{Process, run},
    soon,
};

const SECRET: &str = "hunter2";

async fn end_without_secret(process: Process) {
    process.signal(Signal::SIGTERM);
    process.logged("received, draining").await;
    let log = process.log();
    assert_eq!(process.ended().await.code(), Some(0));
    assert!(log.contains("TRACE"), "{log}");
    let lines: Vec<_> = log.lines().filter(|line| line.contains(SECRET)).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// A client with a token in its query, its headers, its subprotocol and its messages.
async fn client(gateway: &Process) -> Option<Client> {
    let mut request = request(gateway.address("public"), "/a?token=hunter2-query");
    for name in ["authorization", "cookie", "sec-websocket-protocol"] {
        request.headers_mut().insert(name, HeaderValue::from_static("hunter2-header"));
    }
    Client::connect_with(request).await.ok()
}

#[tokio::test]
async fn the_gateway_logs_nothing_of_what_clients_and_functions_say() {
    let backend = Backend::start().await;
    let folder = tempfile::tempdir().unwrap();
    let at = backend.url.replace("http://", "http://user:hunter2-password@");
    let nowhere = "http://user:hunter2-password@127.0.0.1:1/?key=hunter2-query";
    let text = format!(
        "listen = {{ public = '127.0.0.1:0', internal = '127.0.0.1:0' }}\n\
         log.filter = 'trace'\n\
         [[api]]\nid = 'a'\npath = '/a'\nreply = true\n\
         register = '{at}/register?key=hunter2-query'\n\
         transmit = '{at}/transmit?key=hunter2-query'\n\
         cleanup = '{at}/cleanup?key=hunter2-query'\n\
         [[api]]\nid = 'b'\npath = '/b'\ntimeout = '100ms'\ntransmit = '{nowhere}'\n"
    );
    fs::write(folder.path().join("gateway.toml"), text).unwrap();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;

    // Register chooses the token as the subprotocol, and transmit replies with the message.
    let websocket = json!({ "secWebSocketProtocol": "hunter2-header" });
    let accept = json!({ "errNo": 0, "errMsg": "hunter2", "websocket": websocket });
    backend.always("register", Reply::json(&accept));
    let mut open = client(&gateway).await.unwrap();
    let id = backend.next("register").await.id().to_owned();
    open.send("hunter2-message").await;
    backend.next("transmit").await;
    let replies = [
        Reply { status: 200, body: b"hunter2 is no json".to_vec() },
        Reply { status: 430, body: b"{\"errorMessage\":\"hunter2\"}".to_vec() },
        Reply::json(&json!({ "websocket": { "action": "hunter2" } })),
    ];
    for reply in replies {
        backend.always("transmit", reply);
        open.send("hunter2-message").await;
        backend.next("transmit").await;
    }
    let push = |body: serde_json::Value| {
        let url = format!("http://{}/a?key=hunter2-query", gateway.address("internal"));
        let request =
            crate::support::access::operator().post(url).header("x-secret", "hunter2-header");
        soon("an answer", request.body(body.to_string()).send())
    };
    let websocket = json!({ "action": "data send", "secConnectionID": id, "dataType": "text",
        "data": "hunter2-push" });
    push(json!({ "websocket": websocket })).await.unwrap();
    push(json!({ "websocket": "hunter2" })).await.unwrap();
    push(json!("hunter2")).await.unwrap();
    backend.always("transmit", Reply::ok());
    backend.always("cleanup", Reply { status: 500, body: b"hunter2".to_vec() });
    open.close(CloseCode::Normal).await;
    backend.next("cleanup").await;
    backend.next("cleanup").await;

    // Register refuses, and says something that cannot be read.
    let replies = [
        Reply::json(&json!({ "errNo": 7, "errMsg": "hunter2-words" })),
        Reply::json(&json!("hunter2-words")),
        Reply::json(&json!({ "errNo": "hunter2-words" })),
        Reply { status: 200, body: b"hunter2 is no json".to_vec() },
        Reply { status: 500, body: b"hunter2".to_vec() },
    ];
    for reply in replies {
        backend.always("register", reply);
        assert!(client(&gateway).await.is_none());
    }
    // No function is there.
    let path = "/b?token=hunter2-query";
    let mut alone = Client::connect(gateway.address("public"), path).await.ok().unwrap();
    alone.send("hunter2-message").await;
    assert_eq!(alone.closed().await, 1011);

    backend.always("cleanup", Reply::ok());
    end_without_secret(gateway).await;
}

/// A token in each place where it may be, and one that is nearly in such a place.
#[tokio::test]
async fn the_gateway_logs_nothing_of_a_token_that_it_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let text = "listen = { public = '127.0.0.1:0', internal = '127.0.0.1:0' }\n\
                log.filter = 'trace'\n\
                [[api]]\nid = 'a'\npath = '/a'\ntransmit = 'x'\nauth = 'jwt'\n\
                [api.jwt]\nsecret = 'hunter2-and-more-of-32-bytes-0001'\n\
                query = 'access_token'\ncookie = 'session'\n";
    fs::write(folder.path().join("gateway.toml"), text).unwrap();
    let gateway = Process::start("gateway", &[], folder.path(), &[]).await;
    // A header of a JWT, with a name for its key that shows where it came.
    let header = "eyJhbGciOiJIUzI1NiIsImtpZCI6Imh1bnRlcjIifQ";
    let token = format!("{header}.hunter2.hunter2");
    let (bearer, cookie) = (format!("Bearer {token}"), format!("session={token}"));
    let (nearly, protocol) = (format!("Bearer\t{token}"), format!("bearer.{token}"));
    let query = format!("/a?access_token={token}");
    for (path, name, value, status) in [
        ("/a", "authorization", &*bearer, 401),
        ("/a", "authorization", &nearly, 400),
        ("/a", "cookie", &cookie, 401),
        ("/a", "sec-websocket-protocol", &protocol, 401),
        (&query, "x-test", "", 401),
        (&query, "authorization", &bearer, 400),
    ] {
        let mut request = request(gateway.address("public"), path);
        request.headers_mut().insert(name, HeaderValue::try_from(value).unwrap());
        let answer = Client::connect_with(request).await.err().unwrap();
        assert_eq!(answer.status(), status, "{path} {name}");
        assert!(!String::from_utf8_lossy(answer.body()).contains(SECRET));
    }
    assert!(!gateway.log().contains(header), "{}", gateway.log());
    end_without_secret(gateway).await;
}

/// Echoes its event in every way that a function can answer.
const FUNCTION: &str = r#"#!/bin/bash
api="http://$SCF_RUNTIME_API:$SCF_RUNTIME_API_PORT/runtime"
while event=$(curl -s "$api/invocation/next"); do
    case "$event" in
        *reply*) curl -s -o /dev/null "$api/invocation/response" -d "$event" ;;
        *text*) curl -s -o /dev/null "$api/invocation/response" -d "no json: $event" ;;
        *exit*) exit 1 ;;
    esac
done"#;

#[tokio::test]
async fn the_runner_logs_nothing_of_events_replies_and_environments() {
    if !has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "bash/bootstrap", FUNCTION);
    let text = "listen.internal = '127.0.0.1:0'\nlog.filter = 'trace'\n\
        [invoke]\nsecret_id = 'hunter2-id'\nsecret_key = 'hunter2-key-of-hunter2'\n\
        [functions.bash]\nruntime = 'custom'\ncode = 'bash'\nenvironment.KEY = 'hunter2'\n\
        [functions.rust]\nruntime = 'rust'\nhandler = 'register'\n\
        environment = { ROSTER_URL = 'memory:///hunter2', \
        url = 'http://user:hunter2@127.0.0.1:1/api?key=hunter2' }\n\
        [functions.transmit]\nruntime = 'rust'\nhandler = 'transmit'\n\
        environment = { ROSTER_URL = 'memory:///hunter2', \
        url = 'http://user:hunter2@127.0.0.1:1/api?key=hunter2' }\n";
    fs::write(folder.path().join("functions.toml"), text).unwrap();
    let path = ("PATH", "/usr/local/bin:/usr/bin:/bin");
    let runner = Process::start("function-runner", &[], folder.path(), &[path]).await;
    let invoke = async |name: &str, event: &str| {
        let address = runner.address("internal");
        let url = format!("http://{address}/functions/{name}/invocations?key=hunter2");
        let request = crate::support::access::operator().post(url).header("x-secret", "hunter2");
        let request = request.body(event.to_owned());
        soon("an answer", request.send()).await.unwrap().status().as_u16()
    };
    assert_eq!(invoke("bash", "\"reply hunter2\"").await, 200);
    assert_eq!(invoke("bash", "\"text hunter2\"").await, 430);
    assert_eq!(invoke("bash", "\"exit hunter2\"").await, 439);
    assert_eq!(invoke("bash", "hunter2").await, 400);
    let register = r#"{"requestContext":{},"websocket":{"action":"connecting",
        "secConnectionID":"a==","secWebSocketProtocol":"hunter2"}}"#;
    assert_eq!(invoke("rust", register).await, 200);
    for event in [
        r#"{"websocket":{"action":"connecting","secConnectionID":["hunter2"]}}"#,
        r#"{"websocket":"hunter2"}"#,
        r#""hunter2""#,
    ] {
        invoke("rust", event).await;
    }
    let transmit = r#"{"websocket":{"action":"data send","secConnectionID":"a==",
        "dataType":"text","data":"hunter2"}}"#;
    invoke("transmit", transmit).await;
    let logs = format!("http://{}/functions/bash/logs?tail=1000", runner.address("internal"));
    let kept = crate::support::access::get(logs).await.unwrap().text().await.unwrap();
    assert!(kept.contains("Response RequestId"), "{kept}");
    assert!(!kept.contains(SECRET), "{kept}");
    end_without_secret(runner).await;
}

/// What is wrong with a settings file is told without showing it.
#[tokio::test]
async fn problems_of_settings_show_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("function-runner", "[invoke]\nsecret_id = 'a'\nsecret_key = 'hunter2"),
        ("function-runner", "[invoke]\nsecret_id = 'a'\nsecret_key = { hunter2 = 1 }"),
        ("function-runner", "[invoke]\nsecret_id = 'a'\nsecret_key = 'hunter2'"),
        ("function-runner", "[functions.a]\nenvironment.KEY = \"hunter2"),
        ("function-runner", "[functions.a]\nenvironment = { KEY = hunter2 }"),
        ("gateway", "runner.url = 'htp://user:hunter2@127.0.0.1'"),
        ("gateway", "[[api]]\nid = 'a'\npath = '/'\ntransmit = 'htp://user:hunter2@host/a'"),
        ("gateway", "[[api]]\nid = 'a'\npath = '/'\ntransmit = 'http://user:hunter2@host/a"),
        ("gateway", "[[api]]\nauth = 'hmac'\nkey_pairs = [{ id = 'a', secret = 'hunter2' }]"),
        ("gateway", "[[api]]\nauth = 'jwt'\njwt = { secret = 'hunter2' }"),
        ("gateway", "[[api]]\nauth = 'jwt'\njwt = { secret = { hunter2 = 1 } }"),
    ] {
        let file = if name == "gateway" { "gateway.toml" } else { "functions.toml" };
        fs::write(folder.path().join(file), text).unwrap();
        let exit = run(name, &[], folder.path(), &[]).await;
        assert_eq!(exit.status.code(), Some(2), "{}", exit.stderr);
        assert!(exit.stderr.contains(file), "{}", exit.stderr);
        assert!(!exit.stderr.contains(SECRET), "{}", exit.stderr);
    }
}
