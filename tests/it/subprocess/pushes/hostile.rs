//! What a hostile function, or another process of the machine, gets by pushing: nothing but pushes.

use http::Response;
use serde_json::json;

use super::{Functions, Gateway, code, eval, logged, settings, start};
use crate::{
    subprocess::functions::{function, has},
    support::{access, client::exchange, world::World},
};

/// Requests that are no pushes of an API, each with the status of its answer.
const NO_PUSHES: &[(&str, &str)] = &[
    ("POST /../cleanups HTTP/1.1\nhost: localhost", "404"),
    ("POST //cleanups HTTP/1.1\nhost: localhost", "404"),
    ("GET /cleanups HTTP/1.1\nhost: localhost", "404"),
    ("DELETE /cleanups/x HTTP/1.1\nhost: localhost", "404"),
    ("POST /cleanups/x/retry HTTP/1.1\nhost: localhost", "404"),
    ("POST /x/..%2fcleanups HTTP/1.1\nhost: localhost", "404"),
    ("GET /healthz HTTP/1.1\nhost: localhost", "404"),
    ("POST /healthz HTTP/1.1\nhost: localhost", "404"),
    ("POST /readyz HTTP/1.1\nhost: localhost", "404"),
    ("GET /metrics HTTP/1.1\nhost: localhost", "404"),
    ("POST /~/t/a-token-of-somebody/api-x HTTP/1.1\nhost: localhost", "404"),
    ("POST /~/drain HTTP/1.1\nhost: localhost", "404"),
    ("POST /functions/python/invocations HTTP/1.1\nhost: localhost", "404"),
    ("POST http://localhost/cleanups HTTP/1.1\nhost: localhost", "404"),
    ("GET /api-x HTTP/1.1\nhost: localhost", "405"),
    ("DELETE /api-x HTTP/1.1\nhost: localhost", "405"),
    ("POST /api-x%0d%0ahost:%20x HTTP/1.1\nhost: localhost", "404"),
    ("OPTIONS * HTTP/1.1\nhost: localhost", "404"),
    ("POST /api-x HTTP/1.1", "400"),
    ("POST /api-x HTTP/1.1\nhost: localhost\nhost: localhost", "400"),
    ("POST /api-x HTTP/1.1\nhost: localhost:x", "400"),
    ("POST http://localhost/api-x HTTP/1.1", "400"),
    // Not by a name: it may have been pointed at this machine.
    ("POST /api-x HTTP/1.1\nhost: example.com", "403"),
    ("POST http://example.com/api-x HTTP/1.1\nhost: localhost", "403"),
    // Pages in a browser that the function has started.
    ("POST /api-x HTTP/1.1\nhost: localhost\norigin: https://example.com", "403"),
    ("POST /api-x HTTP/1.1\nhost: localhost\nsec-fetch-site: cross-site", "403"),
    // What two servers could understand in two ways.
    ("POST /api-x HTTP/1.1\nhost: localhost\ncontent-length: 1\ncontent-length: 2", "400"),
    ("POST /api-x HTTP/1.1\nhost: localhost\ncontent-length: +1", "400"),
    ("POST /api-x HTTP/1.1\nhost: localhost\ntransfer-encoding: gzip", "400"),
    ("POST /api-x HTTP/1.1\nhost: localhost\ntransfer-encoding: chunked, x", "400"),
    ("POST /api-x HTTP/1.1\nhost: localhost\nx : y", "400"),
    ("CONNECT localhost:80 HTTP/1.1\nhost: localhost", "404"),
];

#[tokio::test]
async fn a_function_can_send_nothing_but_pushes() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    for (head, status) in NO_PUSHES {
        let request = format!("{head}\nconnection: close\n\n").replace('\n', "\r\n");
        let found = eval(&functions, &format!("status_of({request:?})")).await;
        assert_eq!(found, *status, "{head}");
    }
    gateway.nothing().await;
    // What the gateway gets is framed anew, and has none of the headers that are not of a push.
    let request = "POST http://127.0.0.1:1/api-x?a=b HTTP/1.1\r\nhost: localhost\r\n\
        transfer-encoding: chunked\r\ncontent-length: 100\r\nauthorization: Bearer x\r\n\
        longhold-function: other\r\nlonghold-push-to: api-y\r\nx-forwarded-for: 1.2.3.4\r\n\
        connection: close, content-type\r\ncontent-type: text/plain\r\ncontent-encoding: gzip\r\n\r\n\
        1;x=POST\r\n{\r\n1\r\n}\r\n0\r\ntrailer: x\r\n\r\nPOST /cleanups HTTP/1.1\r\n\r\n";
    let found = eval(&functions, &format!("status_of({request:?})")).await;
    let push = gateway.push().await;
    assert_eq!(
        (found, push.head.as_str(), push.body.as_str()),
        (json!("200"), "POST /api-x", "{}")
    );
    let mut names: Vec<_> = push.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "accept",
        "authorization",
        "content-encoding",
        "content-type",
        "host",
        "longhold-function",
        "transfer-encoding",
    ];
    assert_eq!(names, expected);
    assert_eq!(push.headers["longhold-function"], "python");
    assert_eq!(push.headers["authorization"], format!("Bearer {}", access::SERVICE));
    gateway.nothing().await;
    functions.finish().await;
}

/// Two functions of one user, of which the second knows the port of the first, and this process.
#[tokio::test]
async fn no_other_process_pushes_through_the_listener_of_an_instance() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let other = function("python", "timeout = \"60s\"\nenvironment.url = \"${push}/api-x\"");
    let other = other.replace("functions.python", "functions.other");
    let text = settings(&gateway.url, "") + &other;
    let functions = Functions::start_in(code(), &text).await;
    let port = eval(&functions, "PORT").await;
    let push = "POST /api-x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";
    let event = json!({ "eval": format!("raw({push:?}, {port})") });
    let answer = functions.returns("other", &event).await;
    assert!(!answer.as_str().unwrap().contains("HTTP"), "{answer}");
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    assert_eq!(exchange(address, push.as_bytes()).await, "");
    gateway.nothing().await;
    assert_eq!(eval(&functions, "push()").await[0], 200);
    functions.finish().await;
}

/// The function gets the answer although it has not sent the end, and goes on.
#[tokio::test]
async fn an_endless_push_is_refused_and_harms_nobody() {
    if !has("python") {
        return;
    }
    let world = World::with("", "[push]\nmax_body = \"2MiB\"").await;
    let gateway = format!("http://{}", world.listeners.internal);
    let text = settings(&gateway, "push_to = [\"api-test\"]").replace("api-x", "api-test");
    let functions = Functions::start_in(code(), &text).await;
    let head =
        "POST /api-test HTTP/1.1\\r\\nhost: localhost\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n";
    let endless = format!(
        "(lambda c: (c.sendall(b'{head}'), \
            [c.sendall(b'10000\\r\\n' + b'x' * 65536 + b'\\r\\n') for _ in range(160)], \
            c.recv(12).decode())[-1])(connect())"
    );
    assert_eq!(eval(&functions, &endless).await, "HTTP/1.1 413");
    assert_eq!(eval(&functions, "push('{}')").await[0], 400);
    functions.finish().await;
    world.finish().await;
}

/// As many as it may have files.
#[tokio::test]
async fn a_function_that_opens_all_connections_it_can_harms_only_itself() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let other = function("python", "timeout = \"60s\"\nenvironment.url = \"${push}/api-x\"");
    let other = other.replace("functions.python", "functions.other");
    let text = settings(&gateway.url, "max_instances = 1") + &other;
    let functions = Functions::start_in(code(), &text).await;
    let hoard = "globals().update(hoard=[begin_to_connect() for _ in range(900)]) or len(hoard)";
    assert_eq!(eval(&functions, hoard).await, 900);
    // Half a head on those that are connected by now.
    let half =
        "[c.sendall(b'POST /api-x HTTP/1.1\\r\\nhost: localhost\\r\\n') for c in hoard[:60]] and 1";
    assert_eq!(eval(&functions, half).await, 1);
    let push = json!({ "eval": "push()" });
    assert_eq!(functions.returns("other", &push).await[0], 200);
    let event = json!({ "eval": "[c.close() for c in hoard] and hoard.clear() or push()" });
    assert_eq!(functions.returns("python", &event).await[0], 200);
    functions.finish().await;
}

/// Pushes that get no answer wait for each other, and not the function.
#[tokio::test]
async fn pushes_without_an_answer_do_not_keep_a_function_from_its_events() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "max_instances = 1").await;
    gateway.answers(Response::new(r#"{"errNo":0,"errMsg":"ok"}"#));
    gateway.hold();
    let many = "[in_thread(push) for _ in range(40)] and 1";
    for number in 0..3 {
        assert_eq!(eval(&functions, many).await, 1, "{number}");
    }
    for number in 0..100 {
        assert_eq!(eval(&functions, &number.to_string()).await, number);
    }
    gateway.release(1000);
    assert_eq!(eval(&functions, "push()").await[0], 200);
    functions.finish().await;
}

/// The connections are closed without waiting for an answer, and their pushes go on waiting.
#[tokio::test]
async fn a_flood_of_pushes_that_nobody_waits_for_is_refused() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "max_instances = 1").await;
    gateway.hold();
    assert_eq!(eval(&functions, "flood()").await, "HTTP/1.1 429");
    let refused = eval(&functions, "push()").await;
    assert_eq!((&refused[0], &refused[1]["errNo"]), (&json!(429), &json!(429)), "{refused}");
    let text = refused[1]["errMsg"].as_str().unwrap();
    assert!(text.starts_with("not delivered: 256 pushes"), "{text}");
    logged(&functions, "push of function python to api-x failed with errNo 429: not delivered")
        .await;
    for number in 0..100 {
        assert_eq!(eval(&functions, &number.to_string()).await, number);
    }
    // Those that were passed on, and those that waited. Nothing more was kept.
    gateway.release(1000);
    for _ in 0..64 + 256 {
        let push = gateway.push().await;
        assert_eq!((push.head.as_str(), push.body.as_str()), ("POST /api-x", "{}"));
    }
    assert_eq!(eval(&functions, "push()").await[0], 200);
    gateway.push().await;
    gateway.nothing().await;
    functions.finish().await;
}

/// What a process can read of itself, of its parent as another user, and of the answers that it
/// gets.
#[tokio::test]
async fn a_function_sees_nothing_of_the_token_that_its_pushes_present() {
    if !has("python") {
        return;
    }
    let gateway = Gateway::start().await;
    let functions = start(&gateway, "").await;
    // A gateway that says what it gets is not ours.
    let read = "[open(path, 'rb').read().decode('latin-1') for path in \
        ('/proc/self/environ', '/proc/self/cmdline')] + [str(dict(os.environ)), \
        raw('POST /api-x HTTP/1.0\\r\\n\\r\\n'), raw('GET / HTTP/1.0\\r\\n\\r\\n')]";
    let seen = eval(&functions, read).await.to_string();
    assert!(seen.contains("url=http://127.0.0.1:") && seen.contains("errNo"), "{seen}");
    assert!(!seen.contains(&access::SERVICE[..8]) && !seen.contains(&gateway.url), "{seen}");
    assert!(!seen.to_lowercase().contains("authorization"), "{seen}");
    let log = functions.get("/functions/python/logs?tail=1000").await.text().await.unwrap();
    assert!(!log.contains(&access::SERVICE[..8]), "{log}");
    functions.finish().await;
}
