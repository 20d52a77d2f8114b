//! What every listener answers to requests that are not as usual: the two of the gateway, and the
//! one of the function-runner.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::{
    backend::Backend,
    client::{Client, exchange},
    stack::Stack,
    world::{PATH, World, data_send},
};

/// A running stack, and the addresses of its three listeners.
async fn stack() -> (Stack, [SocketAddr; 3]) {
    let stack = Stack::start("memory:///requests").await;
    let runner = stack.runner_url["http://".len()..].parse().unwrap();
    let listeners = [stack.listeners.public, stack.listeners.internal, runner];
    (stack, listeners)
}

/// The status line and the headers of the answer to `request`, and its body.
async fn ask(address: SocketAddr, request: &str) -> (String, String) {
    split(&exchange(address, request.as_bytes()).await)
}

fn split(answer: &str) -> (String, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    (head.to_owned(), body.to_owned())
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap()
}

/// The message of a body, which has to be JSON and as long as the head says.
fn message(head: &str, body: &str) -> String {
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    body["message"].as_str().unwrap().to_owned()
}

/// RFC 9112 section 3.2.
#[tokio::test]
async fn a_request_without_one_valid_host_is_400_on_every_listener() {
    let (stack, listeners) = stack().await;
    for address in listeners {
        for wrong in [
            "",
            "Host: a\r\nHost: a\r\n",
            "Host: a b\r\n",
            "Host: a, b\r\n",
            "Host: http://a\r\n",
            "Host: a/b\r\n",
            "Host: user@a\r\n",
            "Host: a:b\r\n",
            "Host: a:1:2\r\n",
            "Host: ::1\r\n",
            "Host: [::1\r\n",
            "Host: [::1]x\r\n",
            "Host: \u{e9}\r\n",
        ] {
            let request = format!("GET /readyz HTTP/1.1\r\nConnection: close\r\n{wrong}\r\n");
            let (head, body) = ask(address, &request).await;
            assert_eq!(status(&head), "400", "{address} {wrong}: {body}");
            assert!(message(&head, &body).contains("Host"), "{body}");
        }
        // The connection is closed: what follows might be of another request.
        let two = "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        assert_eq!(exchange(address, two.as_bytes()).await.matches("HTTP/1.1 400").count(), 1);
        for right in [
            "1.1\r\nHost: a",
            "1.1\r\nHOST: a_b.example:80",
            "1.1\r\nHost: [::1]:8080",
            "1.1\r\nHost: [fe80::1%25eth0]",
            "1.1\r\nHost: 127.0.0.1:",
            "1.1\r\nHost:",
            "1.0",
        ] {
            let request = format!("GET /release/chat HTTP/{right}\r\nConnection: close\r\n\r\n");
            let (head, body) = ask(address, &request).await;
            assert_ne!(status(&head), "400", "{address} {right}: {body}");
        }
        let (head, _) = ask(address, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n").await;
        assert_eq!(status(&head), "400", "{head}");
    }
    stack.finish().await;
}

#[tokio::test]
async fn head_is_answered_wherever_get_is() {
    let (stack, [public, internal, runner]) = stack().await;
    for (address, path) in [
        (internal, "/healthz"),
        (internal, "/readyz"),
        (internal, "/cleanups"),
        (internal, "/cleanups?limit=0"),
        (runner, "/healthz"),
        (runner, "/readyz"),
        (runner, "/functions"),
        (runner, "/functions/echo-transmit/logs"),
        (public, "/"),
        (public, "/chat.js"),
        (public, "/nobody"),
        (public, "/~/healthz"),
        (public, "/~/readyz"),
    ] {
        let of = |method: &str| {
            format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        };
        let (got, body) = ask(address, &of("GET")).await;
        let (head, nothing) = ask(address, &of("HEAD")).await;
        assert_eq!(status(&head), status(&got), "{path}");
        assert_ne!(status(&head), "405", "{path}");
        assert_eq!(nothing, "", "{path}");
        let length = |head: &str| {
            let line = head.lines().find(|line| line.starts_with("content-length: "));
            line.map(str::to_owned)
        };
        assert_eq!(length(&head), length(&got), "{path}: {body}");
    }
    // The methods of a path are told with HEAD.
    let (head, _) = ask(internal, "PUT /healthz HTTP/1.0\r\n\r\n").await;
    assert!(head.contains("allow: GET, HEAD"), "{head}");
    stack.finish().await;
}

/// Whatever the paths of APIs are. The public does not learn why a gateway is not ready.
#[tokio::test]
async fn a_balancer_can_ask_the_public_listener() {
    let settings = r#"
        listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }
        api = [
            { id = "all", path = "/", transmit = "BACKEND/transmit" },
            { id = "any", path = "/{one}/{two}", transmit = "BACKEND/transmit" },
        ]
        drain = { delay = "30m", timeout = "1h" }
    "#;
    let world = World::launch(Backend::start().await, settings).await;
    let address = world.listeners.public;
    let get = async |path: &str| {
        let (head, body) = ask(address, &format!("GET {path} HTTP/1.0\r\n\r\n")).await;
        (status(&head).to_owned(), message(&head, &body))
    };
    let answer = |status: &str, message: &str| (status.to_owned(), message.to_owned());
    assert_eq!(get("/~/healthz").await, answer("200", "alive"));
    assert_eq!(get("/~/readyz").await, answer("200", "ready"));
    for other in ["/~/", "/~", "/~/cleanups", "//~/x", "/%7e/x", "/~/readyz/x", "/x/../~/x"] {
        assert_eq!(get(other).await.0, "404", "{other}");
    }
    assert_eq!(get("/~x").await.0, "403", "of an API");
    let (head, _) = ask(address, "POST /~/readyz HTTP/1.0\r\n\r\n").await;
    assert_eq!(status(&head), "405");
    world.stop.cancel();
    // In a drain the gateway is alive, and new clients should go elsewhere.
    while get("/~/readyz").await != answer("503", "not ready") {}
    assert_eq!(get("/~/healthz").await, answer("200", "alive"));
    // The delay does not end within this test.
    drop(world);
}

/// A base URL with a slash at its end and a path with one at its begin make two.
#[tokio::test]
async fn joined_urls_reach_what_they_name() {
    let world = World::start().await;
    let (mut client, call) = world.client().await;
    for path in ["/api-test/", "//api-test", "///api-test//", "/api%2Dtest"] {
        let (status, answer) =
            world.push_bytes(&path[1..], data_send(call.id(), "hello").to_string()).await;
        assert_eq!((status, &answer["errNo"]), (200, &json!(0)), "{path}: {answer}");
        assert_eq!(client.receive_text().await, "hello");
    }
    let (public, internal) = (world.listeners.public, world.listeners.internal);
    for path in [format!("/{PATH}"), format!("//{PATH}"), PATH.replace("/test", "//test")] {
        Client::connect(public, &path).await.unwrap();
        let event = world.backend.next("register").await.event;
        assert_eq!(event["path"], path, "as the client sent it");
    }
    for (path, expected) in [
        ("//healthz", "200"),
        ("/readyz/", "200"),
        ("//cleanups/?limit=1", "200"),
        ("/~/", "404"),
        ("//~/x/", "404"),
        ("/%7E//x", "404"),
    ] {
        let (head, _) = ask(internal, &format!("GET {path} HTTP/1.0\r\n\r\n")).await;
        assert_eq!(status(&head), expected, "{path}");
    }
    world.finish().await;
}
