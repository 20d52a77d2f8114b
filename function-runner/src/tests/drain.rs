//! Callers that hang up, and the shutdown of the runner.

use serde_json::json;

use super::{
    functions::{gate, request, settings, waiting},
    http::{invocation, receive, send},
    server::Server,
};
use crate::Runner;

#[tokio::test]
async fn a_draining_runner_ends_what_runs_and_refuses_what_comes() {
    let server = Server::start(&waiting("drain", "")).await;
    let gate = gate("drain");
    let held = send(server.address, &invocation("waits", "", b"{}")).await;
    gate.entered().await;
    assert_eq!(server.get("/readyz").await.status, 200);

    server.stop.cancel();
    // The runner takes a moment to begin the drain.
    while server.get("/readyz").await.status == 200 {}
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, ready.json()), (503, json!({"message": "draining"})));
    assert_eq!(server.get("/healthz").await.status, 200);
    let refused = server.invoke("waits", "{}").await;
    assert_eq!((refused.status, &refused.json()["statusCode"]), (503, &json!(503)));

    gate.open();
    assert_eq!(receive(held).await.status, 200);
    server.ended().await;
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off_and_told_so() {
    let text = format!("drain.timeout = \"0s\"\n{}", waiting("cut", ""));
    let server = Server::start(&text).await;
    let held = send(server.address, &invocation("waits", "", b"{}")).await;
    gate("cut").entered().await;
    server.stop.cancel();
    let held = receive(held).await;
    assert_eq!((held.status, &held.json()["statusCode"]), (439, &json!(439)));
    server.ended().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_cancel_the_function() {
    let server = Server::start(&waiting("hang-up", "")).await;
    let gate = gate("hang-up");
    let caller = send(server.address, &invocation("waits", "", b"{}")).await;
    gate.entered().await;
    drop(caller);
    // Another request, so that the runner has seen the hang-up.
    assert_eq!(server.running("waits").await, 1);
    gate.open();
    gate.passed().await;
    server.stop.cancel();
    server.ended().await;
}

/// The same without sockets, where it is certain that the caller has gone.
#[tokio::test]
async fn a_dropped_call_runs_to_its_end() {
    let runner = Runner::start(settings(&waiting("dropped", ""))).unwrap();
    let gate = gate("dropped");
    let call = runner.admit("waits").unwrap();
    let call = call.run(request());
    tokio::select! {
        _ = call => panic!("the gate is closed"),
        () = gate.entered() => {}
    }
    assert_eq!(runner.describe()[0]["running"], 1);
    gate.open();
    gate.passed().await;
}

#[tokio::test]
async fn connections_without_a_request_do_not_hold_up_the_end() {
    let server = Server::start("").await;
    let _idle = send(server.address, b"").await;
    let _half = send(server.address, b"POST /functions/x/invocations HTTP/1.1\r\n").await;
    server.stop().await;
}
