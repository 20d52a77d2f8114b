//! Callers that hang up, and the shutdown of the runner.

use std::{net::Ipv4Addr, time::Duration};

use serde_json::json;
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    functions::{gate, request, settings, waiting},
    http::{SERVICE, invocation, receive, send},
    server::Server,
};
use crate::{Runner, runner::DRAINING_MAX};

#[tokio::test]
async fn a_draining_runner_ends_what_runs_and_refuses_what_comes() {
    let text = format!("drain.delay = \"0s\"\n{}", waiting("drain", ""));
    let server = Server::start(&text).await;
    let gate = gate("drain");
    let held = send(server.address, &invocation("waits", "", b"{}")).await;
    gate.entered().await;
    assert_eq!(server.get("/readyz").await.status, 200);

    server.stop.cancel();
    // The runner takes a moment to begin the drain.
    while server.get("/readyz").await.status == 200 {}
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, ready.json()), (503, json!({"message": "not ready"})));
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
    let server = Server::start("drain.delay = '0s'").await;
    let _idle = send(server.address, b"").await;
    let _half = send(server.address, b"POST /functions/x/invocations HTTP/1.1\r\n").await;
    server.stop().await;
}

/// Whoever stops the runner may stop its callers at the same moment. One of them has drained and
/// gone soon. Another one has been quiet, so it has no connection, and will drain.
#[tokio::test(start_paused = true)]
async fn what_comes_during_the_delay_is_admitted_although_no_caller_is_there() {
    let text = "drain = { delay = '2s', timeout = '1h' }\nfunctions.echoes.runtime = 'rust'\n\
        functions.echoes.handler = 'returns'";
    let runner = Runner::start(settings(text)).unwrap();
    let (_, no_changes) = mpsc::channel(1);
    let (stop, began) = (CancellationToken::new(), Instant::now());
    stop.cancel();
    let calls = async {
        drop(runner.callers().drains((Ipv4Addr::LOCALHOST, 1).into()).unwrap());
        sleep_until(began + Duration::from_millis(1900)).await;
        drop(runner.admit("echoes").unwrap());
        sleep_until(began + Duration::from_millis(2100)).await;
        assert!(runner.admit("echoes").is_err());
    };
    let running = async {
        runner.run(no_changes, stop).await;
        assert_eq!(began.elapsed().as_secs(), 2);
    };
    tokio::join!(running, calls);
}

/// The request with which a caller says that it drains. `headers` end with a line break each.
fn drain_request(headers: &str) -> Vec<u8> {
    let head = format!(
        "POST /~/drain HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {SERVICE}\r\n\
         {headers}content-length: 0\r\n\r\n"
    );
    head.into_bytes()
}

/// Opens the request with which a caller says that it drains, and waits for its answer.
async fn drain(server: &Server) -> TcpStream {
    let mut caller = send(server.address, &drain_request("")).await;
    let mut start = [0; 15];
    caller.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    caller
}

#[tokio::test]
async fn invocations_are_admitted_as_long_as_a_caller_drains() {
    let text = "drain.delay = '0s'\nfunctions.echoes.runtime = 'rust'\n\
        functions.echoes.handler = 'returns'";
    let server = Server::start(text).await;
    let callers = [drain(&server).await, drain(&server).await];
    server.stop.cancel();
    while server.get("/readyz").await.status == 200 {}
    for caller in callers {
        assert_eq!(server.invoke("echoes", "1").await.body, b"1");
        drop(caller);
    }
    soon(server.ended()).await;
}

/// The runner refuses already, and waits for an invocation.
#[tokio::test]
async fn a_caller_that_drains_later_is_served_again() {
    let server =
        Server::start(&format!("drain.delay = '0s'\n{}", waiting("drains-later", ""))).await;
    let gate = gate("drains-later");
    let held = send(server.address, &invocation("waits", "", b"{}")).await;
    gate.entered().await;
    server.stop.cancel();
    while server.invoke("none", "{}").await.status != 503 {}
    let caller = drain(&server).await;
    while server.invoke("none", "{}").await.status == 503 {}
    gate.open();
    assert_eq!(receive(held).await.status, 200);
    drop(caller);
    soon(server.ended()).await;
}

/// A caller that drains for longer does not keep the runner.
#[tokio::test]
async fn the_drain_timeout_bounds_the_drain_of_callers() {
    let server = Server::start("drain.timeout = '0s'").await;
    let caller = drain(&server).await;
    server.stop.cancel();
    soon(server.ended()).await;
    drop(caller);
}

/// Each of them holds a connection.
#[tokio::test]
async fn so_many_callers_drain_at_once_and_no_more() {
    let server = Server::start("").await;
    let mut callers = Vec::new();
    for _ in 0..DRAINING_MAX {
        callers.push(drain(&server).await);
    }
    let refused = server.send(&drain_request("connection: close\r\n")).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json(), json!({"message": "64 callers drain already; try again"}));
    callers.clear();
    // The runner takes a moment to see that they have gone.
    soon(async {
        loop {
            let mut caller = send(server.address, &drain_request("")).await;
            let mut start = [0; 12];
            caller.read_exact(&mut start).await.unwrap();
            if start.ends_with(b"200") {
                break;
            }
        }
    })
    .await;
    server.stop().await;
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future).await.expect("it comes within a minute")
}
