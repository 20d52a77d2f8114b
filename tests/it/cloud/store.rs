//! A chat as it was written for the cloud, with its roster in a bucket: three functions that use
//! the cloud's library for buckets, and an old push address. No byte of the code is changed.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::libraries;
use crate::{
    subprocess::functions::write,
    support::{client::Client, process::Process},
};

/// Each message is sent to all whose ids are in the bucket, with their number.
const PYTHON: &str = r#"
import json, os
import requests
from qcloud_cos_v5 import CosConfig, CosS3Client

SEND_URL = "http://set-websocket.cb-common.apigateway.tencentyun.com/api-etj7lhtw"
BUCKET = "chat-1250000000"
config = CosConfig(Region="ap-guangzhou", SecretId=os.environ["TENCENTCLOUD_SECRETID"],
                   SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
                   Token=os.environ["TENCENTCLOUD_SESSIONTOKEN"])
cos = CosS3Client(config)

def register(event, context):
    id = event["websocket"]["secConnectionID"]
    cos.put_object(Bucket=BUCKET, Key="online/" + id, Body=b"1")
    return {"errNo": 0, "errMsg": "ok",
            "websocket": {"action": "connecting", "secConnectionID": id}}

def transmit(event, context):
    listed = cos.list_objects(Bucket=BUCKET, Prefix="online/").get("Contents", [])
    ids = [each["Key"].split("/", 1)[1] for each in listed]
    text = "%d: %s" % (len(ids), event["websocket"]["data"])
    for id in ids:
        push = {"websocket": {"action": "data send", "secConnectionID": id, "dataType": "text",
                              "data": text}}
        assert requests.post(SEND_URL, data=json.dumps(push)).json()["errNo"] == 0
    return {"errNo": 0, "errMsg": "ok"}

def cleanup(event, context):
    cos.delete_object(Bucket=BUCKET, Key="online/" + event["websocket"]["secConnectionID"])
    print("left")
    return {"errNo": 0, "errMsg": "ok"}
"#;

const NODE: &str = r#"
const COS = require("cos-nodejs-sdk-v5");
const http = require("http");

const place = { Bucket: "chat-1250000000", Region: "ap-guangzhou" };
const cos = new COS({
  SecretId: process.env.TENCENTCLOUD_SECRETID,
  SecretKey: process.env.TENCENTCLOUD_SECRETKEY,
  SecurityToken: process.env.TENCENTCLOUD_SESSIONTOKEN,
});
const host = "set-websocket.cb-common.apigateway.tencentyun.com";
const push = (body) => new Promise((resolve, reject) => {
  const request = http.request({ host, path: "/api-etj7lhtw", method: "POST" }, (answer) => {
    let text = "";
    answer.on("data", (part) => { text += part; });
    answer.on("end", () => resolve(JSON.parse(text)));
  });
  request.on("error", reject);
  request.end(JSON.stringify(body));
});

exports.register = async ({ websocket: { secConnectionID: id } }) => {
  await cos.putObject({ ...place, Key: `online/${id}`, Body: "1" });
  return { errNo: 0, errMsg: "ok", websocket: { action: "connecting", secConnectionID: id } };
};

exports.transmit = async ({ websocket }) => {
  const { Contents } = await cos.getBucket({ ...place, Prefix: "online/" });
  const ids = Contents.map(({ Key }) => Key.slice("online/".length));
  for (const id of ids) {
    const data = `${ids.length}: ${websocket.data}`;
    const sent = { action: "data send", secConnectionID: id, dataType: "text", data };
    const { errNo } = await push({ websocket: sent });
    if (errNo !== 0) throw new Error(`errNo ${errNo}`);
  }
  return { errNo: 0, errMsg: "ok" };
};

exports.cleanup = async ({ websocket: { secConnectionID: id } }) => {
  await cos.deleteObject({ ...place, Key: `online/${id}` });
  console.log("left");
  return { errNo: 0, errMsg: "ok" };
};
"#;

const FUNCTIONS: [&str; 3] = ["register", "transmit", "cleanup"];

/// Writes the settings of the chat into `folder`. The store asks for signatures.
fn settings(folder: &Path, runtime: &str, lines: &str) {
    let calls = FUNCTIONS.map(|name| format!("{name} = 'chat-{name}'\n")).concat();
    let gateway = format!(
        "listen = {{ public = '127.0.0.1:0', internal = '127.0.0.1:0' }}\n\
         [[api]]\nid = 'api-chat'\npath = '/release/chat'\ntimeout = '30s'\n{calls}"
    );
    let functions = FUNCTIONS.map(|name| {
        format!(
            "[functions.chat-{name}]\nruntime = '{runtime}'\nhandler = 'index.{name}'\n\
             code = 'code'\nrole = 'chat'\ntimeout = '20s'\n{lines}\n"
        )
    });
    let functions = format!("listen.internal = '127.0.0.1:0'\n[cloud]\n{}", functions.concat());
    write(folder, "gateway.toml", &gateway);
    write(folder, "functions.toml", &functions);
    let cos = "listen.internal = '127.0.0.1:0'\nstore.buckets = ['chat-1250000000']\n\
               [[credentials]]\nsecret_id = 'AKIDother'\nsecret_key = 'hunter2-hunter2-hunter2'\n";
    write(folder, "cos.toml", cos);
    for file in ["functions.toml", "cos.toml"] {
        let private = Permissions::from_mode(0o600);
        fs::set_permissions(folder.join(file), private).unwrap();
    }
}

async fn check(runtime: &str, lines: &str, file: &str, code: &str) {
    let folder = tempfile::tempdir().unwrap();
    settings(folder.path(), runtime, lines);
    write(folder.path(), &format!("code/{file}"), code);
    let longhold = Process::start("longhold", &[], folder.path(), &[]).await;
    let public = longhold.address("public");
    let mut first = Client::connect(public, "/release/chat").await.ok().unwrap();
    let mut second = Client::connect(public, "/release/chat").await.ok().unwrap();
    first.send("hello").await;
    for client in [&mut first, &mut second] {
        assert_eq!(client.receive_text().await, "2: hello", "{runtime}");
    }
    drop(second);
    longhold.logged("left").await;
    first.send("alone").await;
    assert_eq!(first.receive_text().await, "1: alone", "{runtime}");
    let written = fs::read_to_string(folder.path().join("code").join(file)).unwrap();
    assert_eq!(written, code, "the code was changed");
    assert!(longhold.stopped().await.success());
}

#[tokio::test]
async fn a_chat_in_python_keeps_its_roster_in_a_bucket_as_in_the_cloud() {
    let Some(interpreter) = libraries::python() else { return };
    check("python3", &interpreter, "index.py", PYTHON).await;
}

#[tokio::test]
async fn a_chat_in_node_keeps_its_roster_in_a_bucket_as_in_the_cloud() {
    let Some(libraries) = libraries::node() else { return };
    // The libraries may be in the /tmp of the machine.
    let modules = libraries.join("node_modules");
    let lines = format!("private_tmp = false\nenvironment = {{ NODE_PATH = {modules:?} }}");
    check("nodejs", &lines, "index.js", NODE).await;
}
