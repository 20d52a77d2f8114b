//! Pushes that fail: what their function is told, and what the log says.

use http::Response;
use serde_json::json;

use super::{Functions, Gateway, code, eval, gateway::Got, logged, settings, start};
use crate::subprocess::functions::has;

#[tokio::test]
async fn the_answer_of_the_gateway_comes_back_as_it_is() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    let body = r#"{"errNo":429,"errMsg":"later","more":[1]}"#;
    let answer = Response::builder()
        .status(429)
        .header("retry-after", "5")
        .header("content-type", "application/json")
        .header("x-longhold-batch", "1")
        .header("server", "secret")
        .body(body)
        .unwrap();
    gateway.answers(answer);
    let request = "POST /api-x HTTP/1.0\\r\\ncontent-length: 2\\r\\n\\r\\n{}";
    let answer = eval(&functions, &format!("raw('{request}')")).await;
    let (head, received) = answer.as_str().unwrap().split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.") && head.contains(" 429 "), "{head}");
    for line in ["retry-after: 5", "content-type: application/json", "x-longhold-batch: 1"] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert!(!head.contains("secret") && head.contains("content-length: 41"), "{head}");
    assert_eq!(received, body);
    functions.finish().await;
}

/// Whatever the status is, `errNo` counts too.
#[tokio::test]
async fn a_push_that_fails_is_in_the_log_with_its_function() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    for (status, body, words) in [
        (200, r#"{"errNo":422,"errMsg":"hunter2"}"#, "errNo 422: its action, dataType or data"),
        (401, r#"{"errNo":401,"errMsg":"hunter2"}"#, "errNo 401: the gateway does not let the"),
        (500, "hunter2", "errNo 500: the gateway did not carry it out"),
    ] {
        gateway.answers(Response::builder().status(status).body(body).unwrap());
        eval(&functions, "raw('POST /api-x HTTP/1.0\\r\\ncontent-length: 0\\r\\n\\r\\n')").await;
        gateway.push().await;
        logged(&functions, &format!("push of function python to api-x failed with {words}")).await;
    }
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    assert!(!log.contains("hunter2"), "{log}");
    functions.finish().await;
}

/// The connection is that of the body, which the gateway need not have read, and those of a push to
/// many that did not get it.
#[tokio::test]
async fn a_push_that_fails_is_in_the_log_with_its_connection() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    let push = |id: &str| {
        let body = json!({ "websocket": { "action": "data send", "secConnectionID": id } });
        format!("push({:?})", body.to_string())
    };
    for (status, err_no) in [(200, 422), (503, 503)] {
        let body = format!(r#"{{"errNo":{err_no},"errMsg":"no"}}"#);
        gateway.answers(Response::builder().status(status).body(&*body).unwrap());
        eval(&functions, &push("ab+/c==")).await;
        let begin = format!("push of function python to api-x failed with errNo {err_no}: ");
        let line = soon_line(&functions, &begin).await;
        assert!(line.ends_with(" (connection ab+/c==)"), "{line}");
    }
    let failed = r#"{"errNo":0,"errMsg":"ok","failed":[{"secConnectionID":"gone","errNo":410,
        "errMsg":""},{"secConnectionID":"slow","errNo":429,"errMsg":""}]}"#;
    gateway.answers(Response::new(failed));
    eval(&functions, "push('{}')").await;
    logged(&functions, "failed with errNo 429: the client reads too slowly").await;
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    assert!(log.contains("(connection slow)") && !log.contains("gone"), "{log}");
    functions.finish().await;
}

/// The answer to a push to many names each connection that did not get it, and so is long. It
/// reaches the function as it is.
#[tokio::test]
async fn a_long_answer_to_a_push_to_many_is_in_the_log_too() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    let failed = |id: &str, err_no: u16| json!({ "secConnectionID": id, "errNo": err_no, "errMsg": "hunter2 {" });
    let mut all: Vec<_> = (0..400).map(|it| failed(&format!("gone-{it}"), 410)).collect();
    all.push(failed("slow", 429));
    let body = json!({ "errNo": 0, "errMsg": "ok", "failed": all });
    let text = body.to_string();
    assert!(text.len() > 16 << 10);
    gateway.answers(Response::new(&text));
    assert_eq!(eval(&functions, "push('{}')").await, json!([200, body]));
    let begin = "push of function python to api-x failed with errNo 429: ";
    let line = soon_line(&functions, begin).await;
    assert!(line.ends_with(" (connection slow)"), "{line}");
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    assert!(!log.contains("gone-") && !log.contains("hunter2"), "{log}");
    functions.finish().await;
}

/// The ids in the answer are those that the function has sent, whatever they are.
#[tokio::test]
async fn an_id_that_could_be_taken_for_another_line_is_not_in_the_log() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    let long = "x".repeat(1000);
    for (id, err_no) in [("a\nanother line", 413), (&*long, 422)] {
        let failed = json!([{ "secConnectionID": id, "errNo": err_no, "errMsg": "" }]);
        let body = json!({ "errNo": 0, "errMsg": "ok", "failed": failed }).to_string();
        gateway.answers(Response::new(&body));
        eval(&functions, "push('{}')").await;
        let begin = format!("push of function python to api-x failed with errNo {err_no}: ");
        let line = soon_line(&functions, &begin).await;
        assert!(!line.contains("(connection"), "{line}");
    }
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    assert!(!log.contains("another line") && !log.contains(&long), "{log}");
    functions.finish().await;
}

/// The line of the log that has `piece`.
async fn soon_line(functions: &Functions, piece: &str) -> String {
    logged(functions, piece).await;
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    let line = log.lines().find(|line| line.contains(piece));
    line.unwrap().to_owned()
}

/// A function in Rust sends batches, also as a child process.
#[tokio::test]
async fn each_push_of_a_batch_that_fails_is_in_the_log_with_its_function() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    let item = |index: usize, status: u16, err_no: u16| {
        let body = format!(r#"{{"errNo":{err_no},"errMsg":"hunter2"}}"#);
        format!("{index} {status} {}\n{body}\n", body.len())
    };
    let answer = item(0, 200, 0) + &item(1, 200, 422) + &item(2, 429, 429);
    let head = Response::builder().header("content-type", "application/vnd.longhold.batch");
    gateway.answers(head.body(&*answer).unwrap());
    let request = "POST /api-x HTTP/1.0\\r\\ncontent-length: 0\\r\\n\\r\\n";
    let received = eval(&functions, &format!("raw('{request}')")).await;
    assert!(received.as_str().unwrap().ends_with(&answer), "{received}");
    for words in ["errNo 422: its action, dataType or data", "errNo 429: the client reads too"] {
        logged(&functions, &format!("push of function python to api-x failed with {words}")).await;
    }
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    assert!(!log.contains("hunter2") && !log.contains("errNo 0"), "{log}");
    functions.finish().await;
}

#[tokio::test]
async fn a_function_is_told_that_there_is_no_gateway() {
    if !has("python") {
        return;
    }
    // The port stays taken, and nobody listens on it.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let gateway = format!("http://me:hunter2@{}", socket.local_addr().unwrap());
    let functions = Functions::start_in(code(), &settings(&gateway, "")).await;
    let what = "not delivered: the function-runner cannot reach the gateway";
    let expected = json!([502, { "errNo": 502, "errMsg": what }]);
    assert_eq!(eval(&functions, "push()").await, expected);
    logged(&functions, &format!("push of function python to api-x failed with errNo 502: {what}"))
        .await;
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    assert!(!log.contains("hunter2"), "{log}");
    functions.finish().await;
}

/// What has come whole may still be answered, for half a second. What has not is given up at once:
/// the gateway must not take a part of a message for all of it.
#[tokio::test]
async fn pushes_end_with_their_instance() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "max_instances = 1").await;
    gateway.hold();
    let part = "POST /api-x HTTP/1.1\\r\\nhost: localhost\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n4\\r\\npart\\r\\n";
    eval(&functions, "in_thread(lambda: push('whole'))").await;
    assert_eq!(gateway.push().await.body, "whole");
    eval(&functions, &format!("globals().update(c=connect()) or c.sendall(b'{part}')")).await;
    assert!(matches!(gateway.next().await, Got::Begin(begin) if begin == "part"));
    let event = json!({ "eval": "os._exit(3)" });
    assert_eq!(functions.invoke("python", &event).await.0, 439);
    assert!(matches!(gateway.next().await, Got::Broken), "a part was taken for all");
    logged(&functions, "errNo 503: unknown whether delivered: its instance has ended").await;
    functions.finish().await;
}

/// As a program does that does not care for the answer.
#[tokio::test]
async fn a_push_arrives_although_its_process_ends_at_once() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    let request =
        "POST /api-x HTTP/1.1\\r\\nhost: localhost\\r\\ncontent-length: 4\\r\\n\\r\\nlast";
    // Not before the runner has begun to pass it on: whose connection it is can be seen only while
    // there is a process.
    gateway.hold();
    let sends = format!("globals().update(c=connect()) or c.sendall(b'{request}')");
    eval(&functions, &sends).await;
    assert_eq!(gateway.push().await.body, "last");
    assert_eq!(functions.invoke("python", &json!({ "eval": "os._exit(3)" })).await.0, 439);
    gateway.release(1);
    // The next instance pushes as well.
    gateway.release(1_000_000);
    assert_eq!(eval(&functions, "push()").await[0], 200);
    functions.finish().await;
}
