//! A cleanup that was given up is kept. An operator can list it, retry it or delete it.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{
    crowd::connect,
    runs::{GatewayRuns, PATH},
};
use crate::support::{backend::Reply, process::Process, soon};

struct Operator {
    url: String,
    http: reqwest::Client,
}

impl Operator {
    fn new(gateway: &Process) -> Self {
        let url = format!("http://{}/cleanups", gateway.address("internal"));
        Self { url, http: crate::support::access::operator() }
    }

    async fn list(&self, query: &str) -> Value {
        let answer = self.http.get(format!("{}{query}", self.url)).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Waits until `count` cleanups have been given up.
    async fn given_up(&self, count: u64) -> Value {
        loop {
            let list = self.list("").await;
            if list["givenUp"] == count {
                return list;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn status(&self, method: &str, path: &str) -> u16 {
        let url = format!("{}{path}", self.url);
        let request = self.http.request(method.parse().unwrap(), url);
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn given_up_cleanups_survive_a_restart_and_can_be_retried() {
    let runs = GatewayRuns::new("cleanup = { max_age = '200ms' }").await;
    runs.backend.always("cleanup", Reply::status(500));
    let gateway = runs.start().await;
    drop(connect(gateway.address("public"), PATH, 3).await);
    Operator::new(&gateway).given_up(3).await;
    GatewayRuns::end(gateway).await;

    let gateway = runs.start().await;
    let operator = Operator::new(&gateway);
    let list = operator.list("").await;
    assert_eq!((&list["owed"], &list["backlog"]), (&0.into(), &0.into()));
    let first = &list["cleanups"][0];
    assert_eq!((&first["api"], &first["closeReason"]), (&"api-test".into(), &"lost".into()));
    assert_eq!(first["error"], "function answered 500: Internal Server Error");
    let attempts = first["attempts"].as_u64().unwrap();
    assert!(attempts > 1);
    let ids: Vec<_> = list["cleanups"].as_array().unwrap().iter().map(id).collect();

    // In pages.
    let page = operator.list("?limit=2").await;
    assert_eq!(page["cleanups"].as_array().unwrap().len(), 2);
    let page = operator.list(&format!("?limit=2&after={}", page["next"].as_str().unwrap())).await;
    assert_eq!((id(&page["cleanups"][0]), page.get("next")), (ids[2].clone(), None));

    // The retry fails, and counts as an attempt.
    assert_eq!(operator.status("POST", &format!("/{}/retry", ids[0])).await, 502);
    assert_eq!(operator.list("").await["cleanups"][0]["attempts"], attempts + 1);
    while runs.backend.was_called("cleanup").await {
        runs.backend.next("cleanup").await;
    }
    runs.backend.always("cleanup", Reply::ok());
    assert_eq!(operator.status("POST", &format!("/{}/retry", ids[0])).await, 200);
    let call = runs.backend.next("cleanup").await;
    assert_eq!((call.id(), call.websocket("closeReason")), (ids[0].as_str(), "lost"));
    assert_eq!(call.headers["x-longhold-attempt"], (attempts + 2).to_string());
    assert_eq!(operator.status("DELETE", &format!("/{}", ids[1])).await, 200);
    assert_eq!(operator.list("").await["givenUp"], 1);

    for id in &ids[..2] {
        assert_eq!(operator.status("POST", &format!("/{id}/retry")).await, 404);
        assert_eq!(operator.status("DELETE", &format!("/{id}")).await, 404);
    }
    GatewayRuns::end(gateway).await;
}

/// Other cleanups hang, and use up all calls that `cleanup.concurrency` allows.
#[tokio::test]
async fn a_retry_by_an_operator_does_not_wait_for_hanging_cleanups() {
    let runs = GatewayRuns::new("cleanup = { max_age = '200ms', concurrency = 1 }").await;
    runs.backend.always("cleanup", Reply::status(500));
    let gateway = runs.start().await;
    drop(connect(gateway.address("public"), PATH, 1).await);
    let operator = Operator::new(&gateway);
    let list = operator.given_up(1).await;
    let gate = runs.backend.hold("cleanup");
    while runs.backend.was_called("cleanup").await {
        runs.backend.next("cleanup").await;
    }
    drop(connect(gateway.address("public"), PATH, 1).await);
    runs.backend.next("cleanup").await;
    let retry = format!("/{}/retry", id(&list["cleanups"][0]));
    assert_eq!(operator.status("POST", &retry).await, 503);
    gate.notify_one();
    runs.backend.always("cleanup", Reply::ok());
    // The hanging call needs a moment to end.
    let retried = async {
        loop {
            let status = operator.status("POST", &retry).await;
            if status != 503 {
                return status;
            }
        }
    };
    assert_eq!(soon("a permit", retried).await, 200);
    GatewayRuns::end(gateway).await;
}

/// The cleanups do not wait for ever, and they are kept.
#[tokio::test]
async fn cleanups_of_a_removed_api_are_given_up() {
    let runs = GatewayRuns::new("cleanup = { max_age = '200ms' }").await;
    runs.backend.always("cleanup", Reply::status(500));
    let gateway = runs.start().await;
    let clients = connect(gateway.address("public"), PATH, 3).await;
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    drop(clients);
    let file = runs.folder.path().join("gateway.toml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(&file, settings.replace("api-test", "api-other")).unwrap();
    let gateway = runs.start().await;
    let operator = Operator::new(&gateway);
    let list = operator.given_up(3).await;
    let first = &list["cleanups"][0];
    assert_eq!((&first["api"], &first["closeReason"]), (&"api-test".into(), &"crash".into()));
    assert_eq!(operator.status("POST", &format!("/{}/retry", id(first))).await, 409);
    // A confirmed deletion survives a crash.
    assert_eq!(operator.status("DELETE", &format!("/{}", id(first))).await, 200);
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    let gateway = runs.start().await;
    assert_eq!(Operator::new(&gateway).list("").await["givenUp"], 2);
    GatewayRuns::end(gateway).await;
}

fn id(cleanup: &Value) -> String {
    cleanup["secConnectionID"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn bad_requests_of_an_operator_are_refused() {
    let runs = GatewayRuns::new("").await;
    let gateway = runs.start().await;
    let operator = Operator::new(&gateway);
    for (method, path, status) in [
        ("GET", "?limit=0", 400),
        ("GET", "?limit=1001", 400),
        ("GET", "?after=me", 400),
        ("GET", "?page=2", 400),
        ("POST", "", 405),
        ("GET", "/6ppaYeGJTTOazqKsxlKxUAAAAA==", 405),
        ("DELETE", "/me", 400),
        ("GET", "/cleanups", 404),
        ("DELETE", "/cleanups/me", 404),
        ("POST", "/me/retry", 400),
        ("GET", "/me/retry", 405),
        ("POST", "/me/again", 404),
        ("POST", "/6ppaYeGJTTOazqKsxlKxUAAAAA%3D%3D/retry", 404),
    ] {
        assert_eq!(operator.status(method, path).await, status, "{method} {path}");
    }
    GatewayRuns::end(gateway).await;
}
