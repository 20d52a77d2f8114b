//! Requests of every shape: paths, methods, headers, broken bodies.

use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{
    functions::{function, gate, waiting},
    http::{OPERATOR, SERVICE, invocation, receive, send},
    server::Server,
};

#[tokio::test]
async fn every_path_and_method_has_an_answer_in_json() {
    let server = Server::start(&function("returns", "")).await;
    let cases = [
        ("GET /healthz", 200),
        ("GET /readyz", 200),
        ("GET /functions", 200),
        ("GET /functions?all=1", 200),
        ("GET http://elsewhere/healthz", 200),
        ("GET /%68ealthz", 200),
        ("GET /%7E/x", 404),
        ("GET //~/x/", 404),
        ("GET /", 405),
        ("POST /", 200),
        ("GET /metrics", 404),
        ("GET /healthz/", 200),
        ("GET //healthz", 200),
        ("GET /functions/", 200),
        ("GET /functions/returns", 404),
        ("GET /functions/a/b/invocations", 404),
        ("GET /functions/invocations", 404),
        ("GET /functions/nobody/logs", 404),
        ("GET /functions//logs", 404),
        ("GET /functions/nobody/logs/", 404),
        ("GET /functions/returns/logs?tail=-1", 400),
        ("GET /functions/returns/logs?follow=1", 400),
        ("GET /functions/returns/logs?lines=1", 400),
        ("POST /functions/returns/logs", 405),
        ("OPTIONS *", 404),
        ("CONNECT elsewhere:1", 403),
        ("POST /healthz", 405),
        ("DELETE /functions", 405),
        ("GET /~", 404),
        ("GET /~/", 404),
        ("GET /~/functions", 404),
        ("POST /~/functions/returns/invocations", 404),
        ("GET /functions/~/logs", 404),
        ("BREW /readyz", 405),
        ("GET /functions/returns/invocations", 405),
        ("PUT /functions/nobody/invocations", 405),
        ("POST /functions//invocations", 435),
        ("POST /functions/%00/invocations", 435),
        ("POST /functions/../invocations", 404),
        ("POST /functions/Returns/invocations", 435),
        ("POST /functions/returns/invocations", 400),
        ("POST //functions/%72eturns/invocations/", 400),
    ];
    for (line, status) in cases {
        let head = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             authorization: Bearer {OPERATOR}\r\n\r\n"
        );
        let answer = server.send(head.as_bytes()).await;
        assert_eq!(answer.status, status, "{line}");
        answer.json();
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{line}");
    }
    server.stop().await;
}

/// So that clients can tell an older runner from a wrong address.
#[tokio::test]
async fn an_unknown_route_of_the_runners_own_is_told_from_a_path_of_nobody() {
    let server = Server::start("").await;
    for path in ["/~/", "/~/metrics", "/~/functions//x"] {
        let answer = server.get(path).await;
        let message = "this runner has no such route";
        assert_eq!((answer.status, answer.json()), (404, json!({ "message": message })), "{path}");
    }
    assert_eq!(server.get("/metrics").await.json(), json!({ "message": "nothing is here" }));
    server.stop().await;
}

#[tokio::test]
async fn functions_are_listed_without_their_environment() {
    let text = [
        function("returns", "timeout = \"2s\"\nmemory_mb = 64\nenvironment.SECRET = \"hunter2\""),
        function("context", "max_instances = 3"),
    ];
    let server = Server::start(&text.concat()).await;
    let expected = json!({"functions": [
        {"name": "context", "runtime": "rust", "handler": "context", "timeout_ms": 3000,
         "memory_mb": 128, "max_instances": 3, "running": 0,
         "ends_within_ms": 0},
        {"name": "returns", "runtime": "rust", "handler": "returns", "timeout_ms": 2000,
         "memory_mb": 64, "max_instances": 1000, "running": 0,
         "ends_within_ms": 0},
    ]});
    assert_eq!(server.get("/functions").await.json(), expected);
    server.stop().await;
}

#[tokio::test]
async fn the_request_id_is_the_callers_if_it_will_do() {
    let server = Server::start(&function("context", "")).await;
    let longest = "x".repeat(128);
    for id in ["abc", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "~!{}", &longest] {
        let header = format!("x-scf-request-id: {id}\r\n");
        let answer = server.send(&invocation("context", &header, b"{}")).await;
        assert_eq!((answer.request_id(), &answer.json()["request_id"]), (id, &json!(id)));
        // In answers that are errors as well.
        let answer = server.send(&invocation("nobody", &header, b"{}")).await;
        assert_eq!((answer.request_id(), &answer.json()["requestId"]), (id, &json!(id)));
    }
    let too_long = "x".repeat(129);
    for id in ["", "a b", "\u{e9}", &too_long] {
        let header = format!("X-Scf-Request-Id: {id}\r\n");
        let answer = server.send(&invocation("context", &header, b"{}")).await;
        assert_eq!(answer.json()["request_id"], answer.request_id());
        let fresh = uuid::Uuid::parse_str(answer.request_id()).unwrap();
        assert_eq!(fresh.get_version_num(), 4);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_traceparent_is_passed_on_as_it_came() {
    let server = Server::start(&function("context", "")).await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let header = format!("traceparent: {parent}\r\n");
    let answer = server.send(&invocation("context", &header, b"{}")).await;
    assert_eq!(answer.json()["traceparent"], parent);
    let answer = server.send(&invocation("context", "traceparent: \u{e9}\r\n", b"{}")).await;
    assert_eq!((answer.status, &answer.json()["traceparent"]), (200, &json!(null)));
    server.stop().await;
}

#[tokio::test]
async fn an_event_in_chunks_is_an_event() {
    let server = Server::start(&function("returns", "")).await;
    let head = format!(
        "POST /functions/returns/invocations HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         authorization: Bearer {SERVICE}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let chunks = format!("{head}2\r\n[1\r\n2\r\n,2\r\n1\r\n]\r\n0\r\n\r\n");
    let answer = server.send(chunks.as_bytes()).await;
    assert_eq!(answer.json(), json!([1, 2]));
    let answer = server.send(format!("{head}nonsense\r\n").as_bytes()).await;
    assert_eq!((answer.status, &answer.json()["errorMessage"]), (400, &json!("event broke off")));
    server.stop().await;
}

#[tokio::test]
async fn an_event_that_breaks_off_is_never_run() {
    let server = Server::start(&function("returns", "")).await;
    let whole = invocation("returns", "", b"[1,2,3]");
    let mut stream = send(server.address, &whole[..whole.len() - 1]).await;
    stream.shutdown().await.unwrap();
    let answer = receive(stream).await;
    assert_eq!((answer.status, &answer.json()["errorMessage"]), (400, &json!("event broke off")));
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_http_harms_nobody() {
    let server = Server::start(&function("returns", "")).await;
    for nonsense in [&b"\0\0\0\0\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"] {
        let answer = server.send(nonsense).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    assert_eq!(server.invoke("returns", "1").await.status, 200);
    server.stop().await;
}

/// The caller reads nothing before it has sent everything, as many callers do.
#[tokio::test]
async fn an_answer_that_comes_before_the_end_of_the_request_reaches_its_caller() {
    let server = Server::start(&function("returns", "")).await;
    let large = vec![b' '; 16 << 20];
    let cases = [
        ("POST /nowhere", 404),
        ("PUT /functions", 405),
        ("POST /~/nothing", 404),
        ("POST /functions/nobody/invocations", 435),
        ("POST /functions/returns/invocations", 406),
    ];
    for (line, status) in cases {
        let length = large.len();
        let head = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {OPERATOR}\r\n\
             content-length: {length}\r\n\r\n"
        );
        let answer = server.send(&[head.as_bytes(), &large].concat()).await;
        assert_eq!(answer.status, status, "{line}");
        assert_eq!(answer.headers["connection"], "close", "{line}");
        answer.json();
    }
    server.stop().await;
}

#[tokio::test]
async fn a_caller_that_has_ended_its_sending_side_gets_the_reply() {
    let server = Server::start(&waiting("half-closed", "")).await;
    let mut caller = send(server.address, &invocation("waits", "", b"{}")).await;
    caller.shutdown().await.unwrap();
    gate("half-closed").entered().await;
    // By the time that another caller has its answer, the end of the first one has been seen.
    assert_eq!(server.get("/healthz").await.status, 200);
    gate("half-closed").open();
    assert_eq!(receive(caller).await.json(), json!("let go"));
    server.stop().await;
}

#[tokio::test]
async fn nesting_however_deep_is_an_answer() {
    let server = Server::start(&function("raises", "")).await;
    let depth = 1 << 20;
    let nested = ["[".repeat(depth), "]".repeat(depth)].concat();
    assert_eq!(server.invoke("raises", &nested).await.status, 430);
    assert_eq!(server.invoke("raises", &nested[1..]).await.status, 400);
    server.stop().await;
}
