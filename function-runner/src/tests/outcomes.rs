//! The answer to an invocation that ran: the reply, or the documented fault.

use std::time::Duration;

use serde_json::{Value, json};
use shared::invocation::InvocationFault;

use super::{
    functions::{function, request, settings},
    server::Server,
};
use crate::{Runner, invocation::Fault};

/// Invokes `handler`, which fails with `status`, `message` and `trace`. Other functions still run.
async fn check(handler: &str, event: &[u8], status: u16, message: &str, trace: &str) {
    let text = [function(handler, ""), function("context", "")].concat();
    let server = Server::start(&text).await;
    // Twice: the first failure must not change the second invocation.
    for _ in 0..2 {
        let answer = server.invoke(handler, event).await;
        assert_eq!(answer.status, status, "{answer:?}");
        let expected = json!({
            "errorCode": -1,
            "errorMessage": message,
            "requestId": answer.request_id(),
            "stackTrace": trace,
            "statusCode": status,
        });
        assert_eq!(answer.json(), expected);
    }
    assert_eq!(server.invoke("context", "{}").await.status, 200);
    server.stop().await;
}

const CAUGHT: &str = "user code exception caught";

#[tokio::test]
async fn a_reply_is_returned_as_it_is() {
    let server = Server::start(&function("returns", "")).await;
    for event in ["null", "false", "0", "\"\u{4f60}\"", "[]", r#"{"websocket":{"data":"x"}}"#] {
        let answer = server.invoke("returns", event).await;
        assert_eq!((answer.status, &*answer.body), (200, event.as_bytes()));
        answer.json();
    }
    server.stop().await;
}

#[tokio::test]
async fn an_event_that_the_function_does_not_take_is_400() {
    check("refuses", b"{}", 400, "not for me", "").await;
}

#[tokio::test]
async fn an_error_is_430_with_its_trace() {
    check("raises", b"{}", 430, CAUGHT, "no luck").await;
}

#[tokio::test]
async fn a_panic_is_430_and_leaves_the_runner_unharmed() {
    check("panics", b"{}", 430, CAUGHT, "panicked: oh no").await;
    check("panics-early", b"{}", 430, CAUGHT, "panicked: too soon").await;
}

#[tokio::test]
async fn a_reply_of_more_than_6_mib_is_407() {
    check("returns-too-much", b"{}", 407, "reply is larger than 6291456 bytes", "").await;
}

#[tokio::test]
async fn an_event_of_more_than_6_mib_is_406() {
    let event = format!("\"{}\"", "x".repeat((6 << 20) - 1));
    check("returns", event.as_bytes(), 406, "event is larger than 6291456 bytes", "").await;
}

#[tokio::test]
async fn an_event_and_a_reply_of_6_mib_pass() {
    let server = Server::start(&function("returns", "")).await;
    let event = format!("\"{}\"", "x".repeat((6 << 20) - 2));
    let answer = server.invoke("returns", &event).await;
    assert_eq!((answer.status, answer.body.len()), (200, 6 << 20));
    server.stop().await;
}

#[tokio::test]
async fn an_event_that_is_not_json_is_400() {
    for event in [&b""[..], b"{", b"{} x", b"\"\xff\"", b"[1,]", b"\"\n\""] {
        check("returns", event, 400, "event is not JSON", "").await;
    }
}

/// Programs on Windows put a mark in front, or write UTF-16.
#[tokio::test]
async fn an_event_may_have_a_byte_order_mark_and_another_encoding_is_named() {
    let server = Server::start(&function("returns", "")).await;
    let answer = server.invoke("returns", "\u{feff}\"hi\"").await;
    assert_eq!((answer.status, &*answer.body), (200, &b"\"hi\""[..]));
    server.stop().await;
    let problem = "event is not JSON: it is in UTF-16 or UTF-32, and must be in UTF-8";
    check("returns", b"\xff\xfe{\0}\0", 400, problem, "").await;
    let problem = "event is not JSON: it is compressed with gzip; send it plain";
    check("returns", b"\x1f\x8b\x08\0", 400, problem, "").await;
}

#[tokio::test]
async fn a_function_that_does_not_exist_is_435() {
    let server = Server::start("").await;
    for name in ["nobody", "", "no%20body", "..."] {
        let answer = server.invoke(name, "{}").await;
        assert_eq!((answer.status, &answer.json()["statusCode"]), (435, &json!(435)));
    }
    server.stop().await;
}

#[tokio::test]
async fn the_context_says_what_the_settings_and_the_headers_say() {
    let lines = "timeout = \"7s\"\nmemory_mb = 256";
    let server = Server::start(&function("context", lines)).await;
    let answer = server.invoke("context", "{}").await;
    let expected = json!({
        "request_id": answer.request_id(),
        "function_name": "context",
        "memory_limit_mb": 256,
        "time_limit_ms": 7000,
        "traceparent": Value::Null,
    });
    assert_eq!(answer.json(), expected);
    server.stop().await;
}

/// What `handler` ends with, without sockets, so that the clock can be paused.
async fn outcome(handler: &str) -> Result<String, Fault> {
    let runner = Runner::start(settings(&function(handler, "timeout = \"900s\""))).unwrap();
    let call = runner.admit(handler).unwrap();
    call.run(request()).await.outcome
}

#[tokio::test(start_paused = true)]
async fn a_function_that_runs_too_long_is_433() {
    let fault = outcome("never-ends").await.unwrap_err();
    assert_eq!(fault, Fault::timed_out(Duration::from_secs(900)));
    let object = serde_json::to_value(fault.to_error_object("id")).unwrap();
    assert_eq!(object["errorMessage"], "Invoking task timed out after 900 seconds");
    assert_eq!(object["statusCode"], 433);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_panics_at_its_deadline_is_430() {
    assert_eq!(outcome("panics-when-dropped").await.unwrap_err().kind, InvocationFault::Raised);
}

#[tokio::test]
async fn a_timeout_is_answered_and_gives_the_instance_back() {
    let lines = "timeout = \"1s\"\nmax_instances = 1";
    let server = Server::start(&function("never-ends", lines)).await;
    let answer = server.invoke("never-ends", "{}").await;
    assert_eq!((answer.status, &answer.json()["statusCode"]), (433, &json!(433)));
    server.stop().await;
}
