//! The pair of a role and the object store: nobody has to give it to the store by hand.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::{Value, json};

use super::libraries;
use crate::{
    subprocess::functions::write,
    support::{access, client::Client, process::Process},
};

/// Puts an object with the pair of the role, and returns the code of the refusal, if it is one.
const CODE: &str = r#"
import os
from qcloud_cos import CosConfig, CosS3Client
from qcloud_cos.cos_exception import CosServiceError

def put(id, key):
    config = CosConfig(Region="ap-guangzhou", SecretId=id, SecretKey=key)
    try:
        CosS3Client(config, retry=0).put_object(Bucket="chat-1250000000", Key="a", Body=b"1")
        return None
    except CosServiceError as error:
        return error.get_error_code()

def main_handler(event, context):
    id, key = (os.environ["TENCENTCLOUD_SECRET" + name] for name in ("ID", "KEY"))
    answers = [put(id, key), put(id, "another key of this pair"), put("AKIDother", key)]
    return [id, key] + answers

def transmit(event, context):
    id, key = (os.environ["TENCENTCLOUD_SECRET" + name] for name in ("ID", "KEY"))
    event["websocket"]["data"] = put(id, key) or id
    return event
"#;

const STORE: &str = "listen.internal = '127.0.0.1:0'\nstore.buckets = ['chat-1250000000']\n";

fn function(name: &str, handler: &str, interpreter: &str) -> String {
    format!(
        "[functions.{name}]\nruntime = 'python3'\nhandler = 'index.{handler}'\ncode = 'code'\n\
         role = 'any'\ntimeout = '30s'\n{interpreter}\n"
    )
}

fn write_private(folder: &Path, name: &str, text: &str) {
    let file = write(folder, name, text);
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Each takes the pair from the token that they share.
#[tokio::test]
async fn a_store_that_shares_the_token_of_the_services_takes_the_pair_of_the_role() {
    let Some(interpreter) = libraries::python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "code/index.py", CODE);
    let [service, _] = access::files();
    write(folder, "cos.toml", &format!("{STORE}access.service_file = {service:?}\n"));
    let store = Process::start("cos", &[], folder, &[]).await;
    let functions = format!(
        "listen.internal = '127.0.0.1:0'\n[cloud]\ncos = 'http://{}'\n{}",
        store.address("internal"),
        function("puts", "main_handler", &interpreter)
    );
    write(folder, "functions.toml", &functions);
    let runner = Process::start("function-runner", &[], folder, &[]).await;
    let url = format!("http://{}/functions/puts/invocations", runner.address("internal"));
    let request = reqwest::Client::new().post(url).bearer_auth(access::OPERATOR).body("{}");
    let answer: Value =
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let refusals = json!([null, "SignatureDoesNotMatch", "InvalidAccessKeyId"]);
    assert_eq!(json!(answer.as_array().unwrap()[2..]), refusals, "{answer}");
    let unsigned = format!("http://{}/chat-1250000000/a", store.address("internal"));
    assert_eq!(reqwest::get(unsigned).await.unwrap().status(), 403);
    let key = answer[1].as_str().unwrap();
    for process in [store, runner] {
        assert!(!process.log().contains(key), "a key is in the log");
        assert!(process.stopped().await.success());
    }
}

/// The embedded store knows the new pair when functions have it.
#[tokio::test]
async fn a_pair_that_changes_reaches_the_store_with_the_functions() {
    let Some(interpreter) = libraries::python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "code/index.py", CODE);
    let gateway = "listen = { public = '127.0.0.1:0', internal = '127.0.0.1:0' }\n\
                   [[api]]\nid = 'a'\npath = '/a'\ntransmit = 'puts'\nreply = true\ntimeout = '30s'\n";
    write(folder, "gateway.toml", gateway);
    let pair =
        "[[credentials]]\nsecret_id = 'AKIDprogram'\nsecret_key = 'hunter2-hunter2-hunter2'\n";
    write_private(folder, "cos.toml", &format!("{STORE}{pair}"));
    let functions = |role: &str| {
        let function = function("puts", "transmit", &interpreter);
        format!("listen.internal = '127.0.0.1:0'\n[cloud]\n{role}{function}")
    };
    write_private(folder, "functions.toml", &functions(""));
    let longhold = Process::start("longhold", &[], folder, &[]).await;
    let mut client = Client::connect(longhold.address("public"), "/a").await.ok().unwrap();
    client.send("which?").await;
    assert!(client.receive_text().await.starts_with("AKIDlonghold"));
    for id in ["AKIDfirst", "AKIDsecond"] {
        let role = format!("role = {{ secret_id = '{id}', secret_key = 'key-of-{id}-0000' }}\n");
        write_private(folder, "functions.toml", &functions(&role));
        loop {
            client.send("which?").await;
            if client.receive_text().await == id {
                break;
            }
        }
    }
    assert!(longhold.stopped().await.success());
}
