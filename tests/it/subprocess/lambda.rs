//! The runtime API of AWS Lambda, used as its public clients use it.

use serde_json::json;

use super::{
    Functions,
    functions::{cloud_python, folder, function, has, write},
};
use crate::support::{
    backend::{Backend, FunctionCall, Reply},
    process::binary,
};

/// Replies with the headers of the event, and replies twice to the first invocation.
const BOOTSTRAP: &str = r#"#!/bin/bash
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
head=$(mktemp)
trap 'rm -f "$head"' EXIT
while curl -s -o /dev/null -D "$head" "$api/invocation/next"; do
  # Asked again before it is answered, it is the same event.
  event=$(curl -s "$api/invocation/next")
  id=$(sed -n 's/^lambda-runtime-aws-request-id: \(.*\)\r$/\1/p' "$head")
  arn=$(sed -n 's/^lambda-runtime-invoked-function-arn: \(.*\)\r$/\1/p' "$head")
  trace=$(sed -n 's/^lambda-runtime-trace-id: \(.*\)\r$/\1/p' "$head")
  deadline=$(sed -n 's/^lambda-runtime-deadline-ms: \(.*\)\r$/\1/p' "$head")
  if [ "$event" = '"raise"' ]; then
    curl -s -o /dev/null "$api/invocation/$id/error" \
      -d '{"errorMessage":"no luck","errorType":"Misfortune","stackTrace":["line 1"]}'
    continue
  fi
  wrong=$(curl -s -o /dev/null -w '%{http_code}' "$api/invocation/another/response" -d 1)
  curl -s -o /dev/null "$api/invocation/$id/response" \
    -d "{\"event\":$event,\"arn\":\"$arn\",\"trace\":\"$trace\",\"deadline\":$deadline,\"wrong\":$wrong}"
  curl -s -o /dev/null "$api/invocation/$id/response" -d '"too late"'
done
"#;

#[tokio::test]
async fn a_bootstrap_for_lambda_runs_unchanged() {
    if !has("bash") {
        return;
    }
    let folder = folder();
    write(folder.path(), "bash/bootstrap", BOOTSTRAP);
    let functions = Functions::start_in(folder, &function("bash", "")).await;
    for number in 0..3 {
        let reply = functions.returns("bash", &json!({ "number": number })).await;
        assert_eq!(reply["event"], json!({ "number": number }));
        assert_eq!(reply["arn"], "arn:aws:lambda:local:000000000000:function:bash");
        assert_eq!(reply["wrong"], 400);
        assert!(reply["trace"].as_str().unwrap().starts_with("Root=1-"), "{reply}");
        assert!(reply["deadline"].as_u64().unwrap() > 1_600_000_000_000);
    }
    let (status, reply) = functions.invoke("bash", &json!("raise")).await;
    assert_eq!((status, &reply["stackTrace"]), (430, &json!("line 1\nMisfortune: no luck")));
    functions.finish().await;
}

#[tokio::test]
async fn a_failed_start_is_reported_with_lambdas_error() {
    if !has("bash") {
        return;
    }
    let folder = folder();
    let text = "#!/bin/bash\ncurl -s \"http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/init/error\" \
                -d '{\"errorMessage\":\"no luck\",\"errorType\":\"Misfortune\"}'\n";
    write(folder.path(), "bash/bootstrap", text);
    let functions = Functions::start_in(folder, &function("bash", "")).await;
    let (status, reply) = functions.invoke("bash", &json!({})).await;
    assert_eq!((status, &reply["stackTrace"]), (443, &json!("Misfortune: no luck")));
    functions.finish().await;
}

/// The example, which uses the public crate `lambda_runtime`.
#[tokio::test]
async fn a_binary_for_lambda_in_rust_runs_unchanged() {
    let folder = folder();
    std::fs::copy(binary("bootstrap"), folder.path().join("bash/bootstrap")).unwrap();
    // A service that returns what it gets takes the place of the gateway's push URL.
    let push = Backend::start().await;
    push.on("transmit", async |call: FunctionCall| Reply::json(&call.event));
    let lines = format!("environment.url = \"{}/transmit\"", push.url);
    let functions = Functions::start_in(folder, &function("bash", &lines)).await;
    for number in 0..3 {
        let event = json!({ "websocket": { "secConnectionID": "a", "data": number.to_string() } });
        assert_eq!(functions.returns("bash", &event).await, event);
    }
    functions.finish().await;
    push.stop();
}

/// A Python handler with the runtime client that AWS publishes.
#[tokio::test]
async fn python_for_lambda_runs_with_its_public_client() {
    let Some(python) = cloud_python() else { return };
    let folder = folder();
    let bootstrap = format!("#!/bin/sh\nexec {python} -m awslambdaric app.handler\n");
    write(folder.path(), "bash/bootstrap", &bootstrap);
    let code = "def handler(event, context):\n    \
                if event == 'raise':\n        \
                    raise ValueError('no luck')\n    \
                print('got', event)\n    \
                return [event, context.aws_request_id, context.memory_limit_in_mb]\n";
    write(folder.path(), "bash/app.py", code);
    // This Python may be in /tmp, if the repository is checked out there.
    let lines = "memory_mb = 256\nprivate_tmp = false";
    let functions = Functions::start_in(folder, &function("bash", lines)).await;
    for event in ["one", "\u{4f60}\u{597d}"] {
        let reply = functions.returns("bash", &json!(event)).await;
        assert_eq!((&reply[0], &reply[2]), (&json!(event), &json!("256")));
        assert_eq!(reply[1].as_str().unwrap().len(), 36);
    }
    let (status, reply) = functions.invoke("bash", &json!("raise")).await;
    assert_eq!(status, 430, "{reply}");
    assert!(reply["stackTrace"].to_string().contains("ValueError: no luck"), "{reply}");
    functions.finish().await;
}
