//! The cloud's own client library, with the runner as its endpoint.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use super::{
    Functions,
    functions::{cloud_python, folder, function, write},
};
use crate::support::soon;

const KEY: &str = "a key of 16 bytes";
const SECRET: &str = "[invoke]\nsecret_id = \"AKIDlocal\"\nsecret_key = \"a key of 16 bytes\"\n";

/// The library's results for `requests`, signed with the secret pair.
async fn call(
    python: &str,
    functions: &Functions,
    (id, key): (&str, &str),
    requests: &Value,
) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/subprocess/functions/sdk.py");
    let mut client = Command::new(python)
        .arg(script)
        .args([&functions.address(), id, key])
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(requests.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = soon("the end of the client", client.wait_with_output()).await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
}

/// A Python function that prints and returns its event, and one in Rust.
async fn functions(secret: &str) -> Functions {
    let folder = folder();
    let code = "def main_handler(event, context):\n    print('got', event['what'])\n    \
                return event\n";
    write(folder.path(), "python/index.py", code);
    let text = [secret, &function("python", ""), &function("rust", "")].concat();
    Functions::start_in(folder, &text).await
}

#[tokio::test]
async fn the_clouds_own_client_invokes_functions() {
    let Some(python) = cloud_python() else { return };
    let functions = functions(SECRET).await;
    let event = json!({ "what": "\u{4f60}" });
    let text = event.to_string();
    let requests = json!([
        {"FunctionName": "python", "ClientContext": text, "LogType": "Tail"},
        {"FunctionName": "rust", "ClientContext": text, "InvocationType": "RequestResponse",
         "Qualifier": "$LATEST", "Namespace": "default"},
        {"FunctionName": "python", "ClientContext": "{}"},
        {"FunctionName": "nobody"},
    ]);
    let answers = call(&python, &functions, ("AKIDlocal", KEY), &requests).await;

    let result = &answers[0]["Result"];
    assert_eq!(serde_json::from_str::<Value>(result["RetMsg"].as_str().unwrap()).unwrap(), event);
    assert_eq!((&result["InvokeResult"], &result["ErrMsg"]), (&json!(0), &json!("")));
    assert!(result["Log"].as_str().unwrap().contains("\ngot \u{4f60}\n"), "{result}");
    assert!(result["MemUsage"].as_u64().unwrap() > 1 << 20, "{result}");
    assert!(result["Duration"].as_f64().unwrap() > 0.0, "{result}");
    assert!(result["BillDuration"].as_u64().unwrap() > 0, "{result}");

    let result = &answers[1]["Result"];
    assert_eq!((&result["RetMsg"], &result["Log"]), (&json!(text), &json!("")));

    let result = &answers[2]["Result"];
    assert_eq!(result["InvokeResult"], -1);
    assert_eq!(result["ErrMsg"], "user code exception caught");
    assert!(result["RetMsg"].as_str().unwrap().contains("KeyError: 'what'"), "{result}");

    assert_eq!(answers[3]["code"], "ResourceNotFound.Function");
    assert_eq!(answers[3]["message"], "no function has this name");
    assert!(answers[3]["id"].is_string());
    functions.finish().await;
}

#[tokio::test]
async fn an_event_of_the_clouds_own_client_runs_after_its_answer() {
    let Some(python) = cloud_python() else { return };
    let functions = functions(SECRET).await;
    let requests = json!([{"FunctionName": "python", "InvocationType": "Event",
        "ClientContext": "{\"what\":\"the event\"}"}]);
    let answers = call(&python, &functions, ("AKIDlocal", KEY), &requests).await;
    let id = answers[0]["Result"]["FunctionRequestId"].as_str().unwrap();
    assert_eq!(answers[0]["Result"]["RetMsg"], "");
    let log = soon("the end of the event", async {
        let report = format!("data: Report RequestId:{id} ");
        loop {
            let log = functions.get("/functions/python/logs").await.text().await.unwrap();
            if log.contains(&report) {
                break log;
            }
        }
    });
    assert!(log.await.contains("data: got the event\n"));
    functions.finish().await;
}

#[tokio::test]
async fn a_wrong_secret_is_an_exception_with_its_code_in_the_clouds_own_client() {
    let Some(python) = cloud_python() else { return };
    let functions = functions(SECRET).await;
    let requests = json!([{"FunctionName": "rust"}]);
    for (pair, code) in [
        (("AKIDlocal", "another key"), "AuthFailure.SignatureFailure"),
        (("AKIDother", KEY), "AuthFailure.SecretIdNotFound"),
    ] {
        let answers = call(&python, &functions, pair, &requests).await;
        assert_eq!(answers[0]["code"], code, "{answers:?}");
    }
    functions.finish().await;
}
