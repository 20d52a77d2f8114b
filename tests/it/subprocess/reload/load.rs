//! Code is changed under load: no invocation fails or waits, and no connection is closed.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::changing_runner::{ChangingRunner, code, function};
use crate::{
    subprocess::functions::{has, write},
    support::{client::Client, process::Process, soon},
};

/// How often the last test changes the code.
const CHANGES: u32 = 6;

/// Code is changed again and again under load: no invocation fails, invocations after the first
/// reply of new code get new code, and the process of an unchanged function is kept.
#[tokio::test]
async fn code_is_changed_under_load_and_no_invocation_fails() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    assert_eq!(changing.invoke("two").await, (200, json!([1, 1])));
    let (newest, is_over) = (AtomicUsize::new(1), AtomicBool::new(false));
    let load = async || {
        while !is_over.load(Ordering::SeqCst) {
            let at_least = newest.load(Ordering::SeqCst);
            let version = usize::try_from(changing.version("one").await).unwrap();
            assert!(version >= at_least, "{version} after {at_least}");
            newest.fetch_max(version, Ordering::SeqCst);
        }
    };
    let changes = async {
        for version in 2..=6 {
            changing.change("one/index.py", &code(version));
            changing.until_version("one", version.into()).await;
        }
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(join_all((0..8).map(|_| load())), changes);
    assert_eq!(changing.invoke("two").await, (200, json!([1, 2])));
    changing.end().await;
}

/// Instances that start at once give up when the code changes meanwhile, since they may have code
/// of both kinds. If no other lives, one starts again. Its start does not count for the timeout.
#[tokio::test]
async fn code_that_changes_while_the_first_instances_start_fails_no_invocation() {
    if !has("python") {
        return;
    }
    // A change in `__pycache__` is no change of the code.
    let go = |one: &Path| one.join("__pycache__/go");
    let waits = |version, pause, one: &Path| {
        format!(
            "import os, time\nprint('loads {version}', flush=True)\n\
             while not os.path.exists({:?}): time.sleep(0.01)\ntime.sleep({pause})\n{}",
            go(one),
            code(version)
        )
    };
    let changing = ChangingRunner::with_code("", "3s", |one| waits(1, 0, one)).await;
    let first = async { join_all((0..4).map(|_| changing.version("one"))).await };
    let change = async {
        let address = changing.runner.address("internal");
        let url = format!("http://{address}/functions/one/logs?tail=1000");
        soon("several instances", async {
            let log = async || changing.http.get(&url).send().await.unwrap().text().await.unwrap();
            while log().await.matches("loads 1").count() < 4 {}
        })
        .await;
        let one = changing.path("one");
        changing.change("one/index.py", &waits(2, 4, &one));
        changing.until_logged("one", "loads 2").await;
        fs::create_dir_all(one.join("__pycache__")).unwrap();
        fs::write(go(&one), "").unwrap();
    };
    let (versions, ()) = tokio::join!(first, change);
    assert_eq!(versions, [2; 4]);
    changing.end().await;
}

/// Before invocations go to new code, it has as many instances as the old code has busy. So no
/// invocation waits for a start, which may take long.
#[tokio::test]
async fn new_code_has_warm_instances_before_it_is_invoked() {
    if !has("python") {
        return;
    }
    let changing = ChangingRunner::start("").await;
    let slow = |version| {
        let pause = "    global count\n    time.sleep(0.2)\n";
        format!("import time\n{}", code(version)).replace("    global count\n", pause)
    };
    changing.change("one/index.py", &slow(2));
    changing.until_version("one", 2).await;
    let is_over = AtomicBool::new(false);
    let load = async || {
        while !is_over.load(Ordering::SeqCst) {
            let version = changing.version("one").await;
            is_over.fetch_or(version == 3, Ordering::SeqCst);
        }
    };
    let change = async {
        // While all four instances are busy.
        join_all((0..4).map(|_| changing.version("one"))).await;
        changing.change("one/index.py", &slow(3));
    };
    tokio::join!(join_all((0..4).map(|_| load())), change);
    let address = changing.runner.address("internal");
    let log = changing.http.get(format!("http://{address}/functions/one/logs?tail=1000"));
    let log = log.send().await.unwrap().text().await.unwrap();
    // One instance was started for the second version, and the others for the third, before any
    // invocation needed them.
    let warmed = log.matches("Init Report RequestId:none").count();
    assert!(warmed >= 4, "{log}");
    changing.end().await;
}

/// Connections send and wait for their echo, while the code of the echo function is changed. Each
/// message is echoed, and no connection is closed.
#[tokio::test]
async fn connections_do_not_notice_that_the_code_of_their_function_changes() {
    if !has("python") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let echo = |version: u32| {
        format!(
            "def main_handler(event, context):\n    \
                 message = event['websocket']\n    \
                 message['data'] += ' {version}'\n    \
                 return {{'websocket': message}}\n"
        )
    };
    write(folder.path(), "one/index.py", &echo(1));
    let functions = "listen.internal = '127.0.0.1:0'\n".to_owned() + &function("one");
    fs::write(folder.path().join("functions.toml"), functions).unwrap();
    let gateway = "listen = { public = '127.0.0.1:0', internal = '127.0.0.1:0' }\n\
                   [[api]]\nid = 'echo'\npath = '/'\ntransmit = 'one'\nreply = true\n";
    fs::write(folder.path().join("gateway.toml"), gateway).unwrap();
    let path = ("PATH", "/usr/local/bin:/usr/bin:/bin");
    let longhold = Process::start("longhold", &[], folder.path(), &[path]).await;

    let (newest, is_over) = (AtomicUsize::new(1), AtomicBool::new(false));
    let load = async |connection: usize| {
        let mut client = Client::connect(longhold.address("public"), "/").await.ok().unwrap();
        for number in 0.. {
            if is_over.load(Ordering::SeqCst) {
                break;
            }
            let text = format!("{connection} {number}");
            client.send(text.as_str()).await;
            let answer = client.receive_text().await;
            let version = answer.strip_prefix(&format!("{text} ")).unwrap().parse().unwrap();
            newest.fetch_max(version, Ordering::SeqCst);
        }
        client.close(CloseCode::Normal).await;
    };
    let changes = async {
        for version in 2..=CHANGES {
            let new = write(folder.path(), "one.new", &echo(version));
            fs::rename(new, folder.path().join("one/index.py")).unwrap();
            let version = usize::try_from(version).unwrap();
            let has_come = async {
                while newest.load(Ordering::SeqCst) < version {
                    tokio::task::yield_now().await;
                }
            };
            soon("an answer of the new code", has_come).await;
        }
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(join_all((0..8).map(load)), changes);
    assert_eq!(longhold.stopped().await.code(), Some(0));
}
