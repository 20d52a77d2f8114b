//! The action `Invoke` with any signature. Signatures are tested beside their code, and with the
//! cloud's own client.

use serde_json::{Value, json};

use super::{
    functions::{function, gate, waiting},
    http::{receive, send, signed_now},
    server::Server,
};

const ACTION: &str = "x-tc-action: Invoke\r\nx-tc-version: 2018-04-16\r\n";

fn request(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    );
    head.into_bytes()
}

/// The `Response` to `body`.
async fn act(server: &Server, headers: &str, body: &str) -> Value {
    let answer = server.send(&request(headers, body)).await;
    assert_eq!(answer.status, 200);
    let response = &answer.json()["Response"];
    assert_eq!(response["RequestId"], answer.request_id());
    response.clone()
}

async fn invoke(server: &Server, parameters: &Value) -> Value {
    act(server, ACTION, &parameters.to_string()).await
}

#[tokio::test]
async fn the_result_of_a_function_is_answered() {
    let server = Server::start(&function("returns", "")).await;
    let event = "[1, \"\u{4f60}\"]";
    let parameters = json!({"FunctionName": "returns", "ClientContext": event, "LogType": "Tail"});
    let result = &invoke(&server, &parameters).await["Result"];
    assert_eq!(result["RetMsg"], "[1,\"\u{4f60}\"]");
    assert_eq!((&result["ErrMsg"], &result["InvokeResult"]), (&json!(""), &json!(0)));
    let (duration, bill) = (&result["Duration"], &result["BillDuration"]);
    assert!(duration.as_f64().unwrap() > 0.0);
    assert_eq!(bill.as_f64().unwrap(), duration.as_f64().unwrap().ceil());
    let id = result["FunctionRequestId"].as_str().unwrap();
    let log: Vec<_> = result["Log"].as_str().unwrap().lines().collect();
    assert_eq!(log[0], format!("START RequestId:{id}"));
    assert_eq!(log[1], format!("Response RequestId:{id} RetMsg:[1,\"\u{4f60}\"]"));
    assert!(log[3].starts_with(&format!("Report RequestId:{id} Duration:")), "{log:?}");
    assert_eq!(log.len(), 4);
    // Nobody has asked for it.
    let result = &invoke(&server, &json!({"FunctionName": "returns"})).await["Result"];
    assert_eq!((&result["RetMsg"], &result["Log"]), (&json!("{}"), &json!("")));
    server.stop().await;
}

#[tokio::test]
async fn a_function_that_fails_is_a_result_too() {
    let server = Server::start(&function("raises", "")).await;
    let result = &invoke(&server, &json!({"FunctionName": "raises"})).await["Result"];
    assert_eq!(result["InvokeResult"], -1);
    assert_eq!(result["ErrMsg"], "user code exception caught");
    let object: Value = serde_json::from_str(result["RetMsg"].as_str().unwrap()).unwrap();
    assert_eq!((&object["statusCode"], &object["stackTrace"]), (&json!(430), &json!("no luck")));
    server.stop().await;
}

#[tokio::test]
async fn an_event_is_answered_at_once_and_runs_to_its_end_even_in_a_drain() {
    let server = Server::start(&waiting("event", "")).await;
    let gate = gate("event");
    let parameters = json!({"FunctionName": "waits", "InvocationType": "Event"});
    let response = invoke(&server, &parameters).await;
    let id = &response["RequestId"];
    let expected = json!({"FunctionRequestId": id, "RetMsg": "", "ErrMsg": "", "Log": "",
        "Duration": 0.0, "BillDuration": 0, "MemUsage": 0, "InvokeResult": 0});
    assert_eq!(response["Result"], expected);
    gate.entered().await;
    server.stop.cancel();
    while server.get("/readyz").await.status == 200 {}
    gate.open();
    gate.passed().await;
    server.ended().await;
}

#[tokio::test]
async fn an_event_that_finds_no_instance_is_told_in_the_log() {
    let server = Server::start(&waiting("event-full", "max_instances = 1")).await;
    let gate = gate("event-full");
    let parameters = json!({"FunctionName": "waits", "InvocationType": "Event"});
    invoke(&server, &parameters).await;
    gate.entered().await;
    let refused = invoke(&server, &parameters).await;
    let id = refused["Result"]["FunctionRequestId"].as_str().unwrap();
    let told = format!("data: ERROR RequestId:{id} Result:");
    while !String::from_utf8_lossy(&server.get("/functions/waits/logs").await.body).contains(&told)
    {
    }
    // Who waits is told so.
    let error = &invoke(&server, &json!({"FunctionName": "waits"})).await["Error"];
    assert_eq!(error["Code"], "RequestLimitExceeded");
    gate.open();
    gate.passed().await;
    server.stop.cancel();
    server.ended().await;
}

#[tokio::test]
async fn what_is_not_an_invocation_is_an_error_with_a_code() {
    let server = Server::start(&function("returns", "")).await;
    let version = "x-tc-action: Invoke\r\nx-tc-version: 2020-01-01\r\n";
    let cases = [
        ("", "{}", "MissingParameter", "X-TC-Action is missing"),
        ("x-tc-action: ListFunctions\r\n", "{}", "InvalidAction", "use Invoke"),
        ("x-tc-action: Invoke\r\n", "{}", "MissingParameter", "FunctionName is missing"),
        (version, "{}", "NoSuchVersion", "use 2018-04-16"),
        (ACTION, "", "InvalidParameter", "body is not the JSON of Invoke"),
        (
            ACTION,
            r#"{"FunctionName":"nobody"}"#,
            "ResourceNotFound.Function",
            "no function has this name",
        ),
        (
            ACTION,
            r#"{"FunctionName":"returns","ClientContext":"{"}"#,
            "InvalidParameterValue.ClientContext",
            "use the event as JSON text",
        ),
    ];
    for (headers, body, code, words) in cases {
        let error = &act(&server, headers, body).await["Error"];
        assert_eq!(error["Code"], code, "{error}");
        assert!(error["Message"].as_str().unwrap().contains(words), "{error}");
    }
    let large = json!({"FunctionName": "returns", "ClientContext": "1".repeat((6 << 20) + 1)});
    let error = &invoke(&server, &large).await["Error"];
    assert_eq!(error["Code"], "RequestSizeLimitExceeded");
    server.stop().await;
}

#[tokio::test]
async fn with_a_secret_pair_only_what_is_signed_is_run() {
    let secret = "[invoke]\nsecret_id = \"id\"\nsecret_key = \"key-of-sixteen-bytes\"\n";
    let server = Server::start(&[secret, &function("returns", "")].concat()).await;
    let parameters = json!({"FunctionName": "returns"});
    let error = &invoke(&server, &parameters).await["Error"];
    assert_eq!(error["Code"], "AuthFailure.InvalidAuthorization");
    let forged = "authorization: TC3-HMAC-SHA256 Credential=id/2019-02-25/scf/tc3_request, \
                  SignedHeaders=content-type;host, Signature=00\r\nx-tc-timestamp: 1551113065\r\n";
    let error = &act(&server, &[ACTION, forged].concat(), &parameters.to_string()).await["Error"];
    assert_eq!(error["Code"], "AuthFailure.SignatureExpire");
    // Requests of the gateway have no signature.
    assert_eq!(server.invoke("returns", "1").await.status, 200);
    server.stop().await;
}

/// Each of these requests announces a body, and sends none of it.
#[tokio::test]
async fn a_request_with_a_wrong_head_is_refused_before_its_body_is_read() {
    let secret = "[invoke]\nsecret_id = \"id\"\nsecret_key = \"key-of-sixteen-bytes\"\n";
    let server = Server::start(&[secret, &function("returns", "")].concat()).await;
    let signed = |id: &str| signed_now(id, "content-type;host");
    let old = "authorization: TC3-HMAC-SHA256 Credential=id/2019-02-25/scf/tc3_request, \
               SignedHeaders=content-type;host, Signature=00\r\nx-tc-timestamp: 1551113065\r\n";
    let cases = [
        (String::new(), "AuthFailure.InvalidAuthorization"),
        (signed("id").replace("SHA256", "SHA1"), "AuthFailure.InvalidAuthorization"),
        (signed("id").replace("/tc3_request", ""), "AuthFailure.InvalidAuthorization"),
        (signed("other"), "AuthFailure.SecretIdNotFound"),
        (old.to_owned(), "AuthFailure.SignatureExpire"),
        (signed("id").replace("x-tc-timestamp", "x-other"), "MissingParameter"),
        (signed_now("id", "content-type"), "AuthFailure.SignatureFailure"),
    ];
    for expect in ["expect: 100-continue\r\n", ""] {
        for (headers, code) in &cases {
            let head = format!(
                "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                 content-type: application/json\r\ncontent-length: 1000\r\n{ACTION}{headers}{expect}\r\n"
            );
            let answer = server.send(head.as_bytes()).await;
            assert_eq!(answer.status, 200, "{head}");
            assert_eq!(answer.json()["Response"]["Error"]["Code"], *code, "{head}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_draining_runner_says_that_it_is_not_available() {
    let text = format!("drain.delay = \"0s\"\n{}", waiting("action-drain", ""));
    let server = Server::start(&text).await;
    let gate = gate("action-drain");
    let body = json!({"FunctionName": "waits"}).to_string();
    let held = send(server.address, &request(ACTION, &body)).await;
    gate.entered().await;
    server.stop.cancel();
    while server.get("/readyz").await.status == 200 {}
    let error = &act(&server, ACTION, &body).await["Error"];
    assert_eq!(error["Code"], "ServiceUnavailable");
    gate.open();
    assert_eq!(receive(held).await.json()["Response"]["Result"]["RetMsg"], "\"let go\"");
    server.ended().await;
}
