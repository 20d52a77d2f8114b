//! Conformance to RFC 6455, tested with the cases of Autobahn: each message goes from frame to
//! function call to push to frame. Cases 12 and 13 test the extension permessage-deflate, which the
//! gateway does not support. The suite knows no TLS, so a forwarder stands in front of a gateway
//! that speaks it. The large messages of cases 9 take a minute: over TLS they are sent only if the
//! variable `LONGHOLD_LARGE_OVER_TLS` is set, as `.ci/long` does.

use std::{collections::BTreeMap, env, fs, net::SocketAddr, path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::TcpListener,
    process::Command,
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::{
    TlsConnector,
    rustls::version::{TLS12, TLS13},
};

use crate::support::{
    access,
    backend::{Backend, Reply},
    tls::{Authority, connect},
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
    check(&suite, &world, world.listeners.public, Cases::All).await;
    world.stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn autobahn_finds_nothing_wrong_over_tls() {
    let Some(suite) = suite() else { return };
    let authority = Authority::new();
    authority.issue("a", &["localhost"]);
    let settings = format!("{SETTINGS}{}", authority.table(&["a"]));
    let world = World::launch(Backend::start().await, &settings).await;
    let connector = authority.connector(&[&TLS12, &TLS13]);
    let (address, forwarder) = forward(connector, world.listeners.public).await;
    let with_large = env::var_os("LONGHOLD_LARGE_OVER_TLS").is_some();
    let cases = if with_large { Cases::All } else { Cases::AllButLarge };
    check(&suite, &world, address, cases).await;
    forwarder.abort();
    world.stop.cancel();
}

/// Accepts connections without TLS, and passes their bytes on over TLS to `gateway`.
async fn forward(connector: TlsConnector, gateway: SocketAddr) -> (SocketAddr, AbortHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let forwarding = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut plain, _) = listener.accept().await.unwrap();
            plain.set_nodelay(true).unwrap();
            let connector = connector.clone();
            connections.spawn(async move {
                let mut tls = connect(&connector, gateway, "localhost").await;
                // Either side may end in the middle: the suite looks at what it gets.
                let _ = copy_bidirectional(&mut plain, &mut tls).await;
            });
            while connections.try_join_next().is_some() {}
        }
    });
    (address, forwarding.abort_handle())
}

/// Which cases are run, without those of extensions.
#[derive(Debug, Clone, Copy)]
enum Cases {
    All,
    AllButLarge,
}

impl Cases {
    /// Those that are left out.
    fn left_out(self) -> &'static [&'static str] {
        match self {
            Self::All => &["12.*", "13.*"],
            Self::AllButLarge => &["9.*", "12.*", "13.*"],
        }
    }

    /// How many there are.
    fn count(self) -> usize {
        match self {
            Self::All => 301,
            Self::AllButLarge => 247,
        }
    }
}

/// The suite finds nothing wrong with the gateway of `world`, which it reaches at `address`.
async fn check(suite: &str, world: &World, address: SocketAddr, cases: Cases) {
    let (url, http) = (format!("http://{}/api-test", world.listeners.internal), access::operator());
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
        .args(["-m", "fuzzingclient", "-i", "*"])
        .args(cases.left_out().iter().flat_map(|cases| ["-x", cases]))
        .arg("-o")
        .arg(report.path())
        .arg(address.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    judge(report.path(), cases.count());
}

/// The report has `count` cases, and says of each that the server and its Close were right.
fn judge(report: &Path, count: usize) {
    let index = fs::read(report.join("index.json")).unwrap();
    let index: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_slice(&index).unwrap();
    let cases: Vec<_> = index.into_values().flatten().collect();
    assert_eq!(cases.len(), count);
    for (case, found) in cases {
        for behavior in [&found["behavior"], &found["behaviorClose"]] {
            let is_right = ["OK", "NON-STRICT", "INFORMATIONAL"].map(|word| json!(word));
            assert!(is_right.contains(behavior), "case {case}: {found}");
        }
    }
}
