//! Conformance to RFC 6455, tested with the cases of Autobahn: each message goes from frame to
//! function call to push to frame. Cases 12 and 13 test the extension permessage-deflate, which the
//! gateway does not support.

use std::{env, process::Stdio};

use serde_json::json;
use tokio::process::Command;

use crate::support::{
    backend::{Backend, Reply},
    world::World,
};

/// Limits that are large enough for the suite's largest message, 16 MiB, as base64.
const SETTINGS: &str = r#"
listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }
connection = { send_queue = "64MiB" }
push = { max_body = "64MiB", timeout = "10s" }
api = [{ id = "api-test", path = "/", transmit = "BACKEND/transmit", max_message = "32MiB" }]
"#;

/// The path of the suite's command, from a variable that CI sets.
fn suite() -> Option<String> {
    let suite = env::var("LONGHOLD_KOSOKU").ok();
    if suite.is_none() {
        skipped::without("set LONGHOLD_KOSOKU to the command `kosoku` (pip install kosoku)");
    }
    suite
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn autobahn_finds_nothing_wrong() {
    let Some(suite) = suite() else { return };
    let world = World::launch(Backend::start().await, SETTINGS).await;
    let (url, http) =
        (format!("http://{}/api-test", world.listeners.internal), reqwest::Client::new());
    world.backend.on("transmit", move |call| {
        let (url, http) = (url.clone(), http.clone());
        async move {
            let websocket = &call.event["websocket"];
            http.post(url)
                .body(json!({ "websocket": websocket }).to_string())
                .send()
                .await
                .unwrap();
            Reply::ok()
        }
    });
    let report = tempfile::tempdir().unwrap();
    let output = Command::new(suite)
        .args(["-m", "fuzzingclient", "-i", "*", "-x", "12.*", "-x", "13.*", "-o"])
        .arg(report.path())
        .arg(world.listeners.public.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    world.stop.cancel();
}
