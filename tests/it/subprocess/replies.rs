//! The replies that are being read from child processes have one bound of memory.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

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
    let folder = folder();
    write(folder.path(), "large/bootstrap", BOOTSTRAP);
    let text = "limits.reply_memory = '6MiB'\n\
        [functions.large]\nruntime = 'custom'\ncode = 'large'\n\
        timeout = '15m'\nmax_instances = 2\n";
    let functions = Functions::start_in(folder, text).await;
    let is_given_up = AtomicBool::new(false);
    let stall = async || {
        let (status, error) = functions.invoke("large", &json!("stall")).await;
        assert_eq!(status, 430, "{error}");
        assert!(error.to_string().contains("too slowly"), "{error}");
        is_given_up.store(true, Ordering::SeqCst);
    };
    let others = async {
        soon("a reply that stalls", async {
            loop {
                let log = functions.get("/functions/large/logs?tail=1000").await;
                if log.text().await.unwrap().contains("stalls") {
                    return;
                }
            }
        })
        .await;
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
