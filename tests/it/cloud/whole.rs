//! A chat as it was written for the cloud, in `longhold`: no byte of its code is changed.

use std::path::Path;

use nix::sys::signal::Signal;

use crate::{
    subprocess::functions::{has, write},
    support::{client::Client, process::Process},
};

/// The same function in two languages. The address is that of the API in the cloud.
const PYTHON: &str = r#"
import json
from http.client import HTTPSConnection

def main_handler(event, context):
    if event["websocket"]["action"] == "data send":
        connection = HTTPSConnection("set-websocket.cb-common.apigateway.tencentyun.com", timeout=20)
        connection.request("POST", "/api-etj7lhtw", json.dumps({"websocket": event["websocket"]}))
        assert json.loads(connection.getresponse().read())["errNo"] == 0
    return {"errNo": 0, "errMsg": "ok"}
"#;
const NODE: &str = r#"
exports.main_handler = async ({ websocket }) => {
  if (websocket.action === "data send") {
    const url = "http://set-websocket.cb-common.apigateway.tencentyun.com/api-etj7lhtw";
    const answer = await fetch(url, { method: "POST", body: JSON.stringify({ websocket }) });
    if ((await answer.json()).errNo !== 0) throw new Error("not pushed");
  }
  return { errNo: 0, errMsg: "ok" };
};
"#;

async fn check(language: &str, runtime: &str, file: &str, code: &str) {
    if !has(language) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let gateway = "listen = { public = '127.0.0.1:0', internal = '127.0.0.1:0' }\n\
                   [[api]]\nid = 'api-chat'\npath = '/release/chat'\ntransmit = 'chat'\n\
                   timeout = '30s'\n";
    // The table alone: longhold knows its gateway, and which API the function belongs to.
    let functions = format!(
        "listen.internal = '127.0.0.1:0'\n[cloud]\n[functions.chat]\nruntime = '{runtime}'\n\
         handler = 'index.main_handler'\ncode = 'code'\ntimeout = '20s'\n"
    );
    write(folder.path(), "gateway.toml", gateway);
    write(folder.path(), "functions.toml", &functions);
    write(folder.path(), Path::new("code").join(file).to_str().unwrap(), code);
    let longhold = Process::start("longhold", &[], folder.path(), &[]).await;
    let public = longhold.address("public");
    let mut client = Client::connect(public, "/release/chat").await.ok().unwrap();
    client.send("hello").await;
    assert_eq!(client.receive_text().await, "hello", "{language}");
    longhold.logged("apigateway.tencentyun.com leads to the pushes of its instance").await;
    longhold.signal(Signal::SIGTERM);
    assert!(longhold.ended().await.success());
}

#[tokio::test]
async fn a_chat_of_the_cloud_runs_as_it_is() {
    check("python", "python3", "index.py", PYTHON).await;
    check("node", "nodejs", "index.js", NODE).await;
}
