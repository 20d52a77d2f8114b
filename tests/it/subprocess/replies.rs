//! The replies that are being read from child processes have one bound of memory.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    Functions,
    functions::{folder, has, write},
};
use crate::support::soon;

/// Replies to `"stall"` with a part of 5 MiB, and says so. Replies to another event with 5 MiB.
const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import http.client, os, threading
port = os.environ["SCF_RUNTIME_API_PORT"]
api = http.client.HTTPConnection("127.0.0.1", int(port))
while True:
    api.request("GET", "/runtime/invocation/next")
    event = api.getresponse().read()
    reply = b'"' + b"x" * (5 << 20) + b'"'
    if event == b'"stall"':
        api.putrequest("POST", "/runtime/invocation/response")
        api.putheader("Content-Length", str(len(reply)))
        api.endheaders()
        api.send(reply[: 4 << 20])
        print("stalls", flush=True)
        threading.Event().wait()
    api.request("POST", "/runtime/invocation/response", body=reply)
    api.getresponse().read()
"#;

/// A reply that does not go on holds all memory. It is given up when others need it.
#[tokio::test]
async fn a_reply_that_stalls_is_given_up_when_others_need_its_memory() {
    if !has("python") {
        return;
    }
    let folder = with_bootstrap("large", BOOTSTRAP);
    let large = custom("large", "timeout = '15m'\nmax_instances = 2");
    let text = format!("limits.reply_memory = '6MiB'\n{large}");
    let functions = Functions::start_in(folder, &text).await;
    let is_given_up = AtomicBool::new(false);
    let stall = async || {
        let (status, error) = functions.invoke("large", &json!("stall")).await;
        assert_eq!(status, 430, "{error}");
        assert!(error.to_string().contains("too slowly"), "{error}");
        is_given_up.store(true, Ordering::SeqCst);
    };
    let others = async {
        logged(&functions, "large", "stalls").await;
        while !is_given_up.load(Ordering::SeqCst) {
            let (status, reply) = functions.invoke("large", &json!(1)).await;
            assert_eq!(status, 200);
            assert_eq!(reply.as_str().map(str::len), Some(5 << 20));
        }
    };
    soon("all answers", async { tokio::join!(stall(), others) }).await;
    assert_eq!(functions.invoke("large", &Value::Null).await.0, 200);
    functions.finish().await;
}

/// A folder with `bootstrap` as that of the function `name`.
fn with_bootstrap(name: &str, bootstrap: &str) -> TempDir {
    let folder = folder();
    write(folder.path(), &format!("{name}/bootstrap"), bootstrap);
    folder
}

/// The settings of the function `name` with a bootstrap of its own, and `lines`.
fn custom(name: &str, lines: &str) -> String {
    format!("[functions.{name}]\nruntime = 'custom'\ncode = '{name}'\n{lines}\n")
}

/// Waits until the log of the function `name` has `text`.
async fn logged(functions: &Functions, name: &str, text: &str) {
    soon(text, async {
        let path = format!("/functions/{name}/logs?tail=1000");
        while !functions.get(&path).await.text().await.unwrap().contains(text) {}
    })
    .await;
}

/// Replies on four connections at once, with a part of 1 MiB and then 16 KiB at a time: before it
/// has an event, and when it has got one. Ends when there is the file `STOP`.
const DRIPS: &str = r#"#!/usr/bin/env python3
import http.client, os, threading, time
port = int(os.environ["SCF_RUNTIME_API_PORT"])
def drip(begun):
    api = http.client.HTTPConnection("127.0.0.1", port)
    api.putrequest("POST", "/runtime/invocation/response")
    api.putheader("Content-Length", str(6 << 20))
    api.endheaders()
    api.send(b" " * (1 << 20))
    begun.release()
    for _ in range(300):
        time.sleep(0.2)
        api.send(b" " * (16 << 10))
def ends():
    while not os.path.exists("STOP"):
        time.sleep(0.05)
    os._exit(0)
def drips(wanted):
    begun = threading.Semaphore(0)
    for _ in range(4):
        threading.Thread(target=drip, args=(begun,), daemon=True).start()
    for _ in range(wanted):
        begun.acquire()
threading.Thread(target=ends, daemon=True).start()
api = http.client.HTTPConnection("127.0.0.1", port)
drips(4)
print("drips without", flush=True)
api.request("GET", "/runtime/invocation/next")
api.getresponse().read()
drips(1)
print("drips on", flush=True)
threading.Event().wait()
"#;

/// There is memory for two replies. A process that goes on sending holds that of one, and of none
/// while it has no event.
#[tokio::test]
async fn a_process_that_replies_slowly_holds_the_memory_of_one_reply_at_most() {
    if !has("python") {
        return;
    }
    let folder = with_bootstrap("large", BOOTSTRAP);
    let stop = folder.path().join("stop");
    write(folder.path(), "drips/bootstrap", &DRIPS.replace("STOP", stop.to_str().unwrap()));
    let one = "timeout = '15m'\nmin_instances = 1\nmax_instances = 1\nprivate_tmp = false";
    let both = custom("large", "timeout = '15s'") + &custom("drips", one);
    let text = format!("limits.reply_memory = '12MiB'\n{both}");
    let functions = Functions::start_in(folder, &text).await;
    let large = async || {
        let (status, reply) = functions.invoke("large", &json!(1)).await;
        assert_eq!(status, 200, "{reply}");
    };
    logged(&functions, "drips", "drips without").await;
    large().await;
    let event = json!(1);
    let dripping = functions.invoke("drips", &event);
    let others = async {
        logged(&functions, "drips", "drips on").await;
        large().await;
        fs::write(stop, "").unwrap();
    };
    let ((status, fault), ()) = tokio::join!(dripping, others);
    assert!([430, 439].contains(&status), "{fault}");
    functions.finish().await;
}

/// Replies with as many bytes as its event says, and exits without waiting for the answer. Sends
/// the head of its reply in two parts: the first shows that it has read the event, and is no reply.
const LEAVES: &str = r#"#!/usr/bin/env python3
import http.client, os, time
api = http.client.HTTPConnection("127.0.0.1", int(os.environ["SCF_RUNTIME_API_PORT"]))
api.request("GET", "/runtime/invocation/next")
length = int(api.getresponse().read())
head = f"POST /runtime/invocation/response HTTP/1.1\r\nHost: api\r\nContent-Length: {length + 2}"
api.sock.sendall(head.encode())
time.sleep(0.01)
api.sock.sendall(b'\r\n\r\n"' + b"x" * length + b'"')
os._exit(0)
"#;

/// The process has ended, and so has its connection, while the reply is being read and checked.
#[tokio::test]
async fn a_reply_that_has_come_whole_counts_though_its_process_has_ended() {
    if !has("python") {
        return;
    }
    let folder = with_bootstrap("leaves", LEAVES);
    let functions = Functions::start_in(folder, &custom("leaves", "timeout = '20s'")).await;
    for length in [10, 5 << 20].repeat(5) {
        let (status, reply) = functions.invoke("leaves", &json!(length)).await;
        assert_eq!((status, reply.as_str().map(str::len)), (200, Some(length)));
    }
    functions.finish().await;
}

/// Replies with half a text, then sends replies on other connections that it closes, until one is
/// refused at once. Then sends the other half. The first of them to be read would be the reply, so
/// it waits until the runner asks for the first one's body (`100 Continue`).
const FLOODS: &str = r#"#!/usr/bin/env python3
import http.client, os, socket
address = ("127.0.0.1", int(os.environ["SCF_RUNTIME_API_PORT"]))
api = http.client.HTTPConnection(*address)
api.request("GET", "/runtime/invocation/next")
api.getresponse().read()
line = b"POST /runtime/invocation/response HTTP/1.1\r\nHost: api\r\nContent-Length: 6\r\n"
head = line + b"\r\n"
first = socket.create_connection(address)
first.sendall(line + b"Expect: 100-continue\r\n\r\n")
if b" 100 " not in first.recv(1000):
    os._exit(1)
first.sendall(b'"hal')
answer = b""
while b" 400 " not in answer:
    another = socket.create_connection(address)
    another.settimeout(0.1)
    another.sendall(head + b'"none"')
    try:
        answer = another.recv(1000)
    except TimeoutError:
        pass
    another.close()
first.sendall(b'f"')
first.recv(1000)
api.request("GET", "/runtime/invocation/next")
api.getresponse().read()
"#;

/// A body waits in the runner when its connection has ended.
#[tokio::test]
async fn a_process_leaves_no_more_replies_behind_than_it_may_have_connections() {
    if !has("python") {
        return;
    }
    let folder = with_bootstrap("floods", FLOODS);
    let functions = Functions::start_in(folder, &custom("floods", "timeout = '60s'")).await;
    assert_eq!(functions.invoke("floods", &json!(1)).await, (200, json!("half")));
    functions.finish().await;
}
