//! What every listener answers to requests that are not as usual: the two of the gateway, and the
//! one of the function-runner.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{
    access::OPERATOR,
    backend::Backend,
    client::{Client, exchange, received},
    soon,
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
            format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Authorization: Bearer {OPERATOR}\r\n\r\n"
            )
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
    let put = format!("PUT /healthz HTTP/1.0\r\nAuthorization: Bearer {OPERATOR}\r\n\r\n");
    let (head, _) = ask(internal, &put).await;
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
    soon("the drain", async { while get("/~/readyz").await != answer("503", "not ready") {} })
        .await;
    assert_eq!(get("/~/healthz").await, answer("200", "alive"));
    // The delay does not end within this test.
    drop(world);
}

fn as_operator(path: &str) -> String {
    format!("GET {path} HTTP/1.0\r\nAuthorization: Bearer {OPERATOR}\r\n\r\n")
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
        let (head, _) = ask(internal, &as_operator(path)).await;
        assert_eq!(status(&head), expected, "{path}");
    }
    world.finish().await;
}

#[tokio::test]
async fn every_refusal_of_a_listener_says_why() {
    let (stack, listeners) = stack().await;
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let with = |headers: &str| format!("GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    let cases = [
        (get("/?q=\"a\""), "400", "%22"),
        (get("/?q=<a>"), "400", "%3C"),
        (get("/?q=a>b"), "400", "%3E"),
        (get("/a<b"), "400", "%3C"),
        (get("/a`b?`"), "400", "%60"),
        (get("/?q=a b"), "400", "%20"),
        (get("/a b/c"), "400", "%20"),
        (get(&format!("/?q={}\"", "x".repeat(800))), "400", "%22"),
        (get(&format!("/?q={}\"", "x".repeat(8000))), "400", "percent-encoded"),
        (get("/").replace("1.1", "3.0"), "400", "HTTP/1.1"),
        (get("/").replace("HTTP/", "HTCPCP/"), "400", "HTTP/1.1"),
        ("GET /\r\n\r\n".to_owned(), "400", "HTTP/1.1"),
        ("nonsense\r\n\r\n".to_owned(), "400", "HTTP/1.1"),
        ("\u{1}\u{2}\r\n\r\n".to_owned(), "400", "HTTP/1.1"),
        (with("bad header\r\n"), "400", "header"),
        (with("bad : header\r\n"), "400", "header"),
        (with("X: \u{7}\r\n"), "400", "header"),
        (with("Content-Length: x\r\n"), "400", "Content-Length must be one number"),
        (with("Content-Length: 1\r\nContent-Length: 2\r\n"), "400", "must be one number"),
        (with("Transfer-Encoding: gzip\r\n"), "400", "must end with chunked"),
        (with(&format!("X: {}\r\n", "x".repeat(100 << 10))), "431", "32 KiB"),
        (with(&"X: x\r\n".repeat(200)), "431", "100"),
        (get(&format!("/{}", "x".repeat(100 << 10))), "431", "32 KiB"),
    ];
    for address in listeners {
        for (request, expected, reason) in &cases {
            let start: String = request.chars().take(60).collect();
            let (head, body) = ask(address, request).await;
            assert_eq!(status(&head), *expected, "{start}: {body}");
            assert!(head.contains("connection: close") && head.contains("date: "), "{head}");
            let message = message(&head, &body);
            assert!(message.contains(reason), "{start}: {message}");
        }
        // Half a head.
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost").await.unwrap();
        stream.shutdown().await.unwrap();
        let (head, body) = split(&received(stream).await);
        assert_eq!(status(&head), "400");
        assert!(message(&head, &body).contains("ended before"), "{body}");
        // Nothing, or an empty line, is no request.
        for nothing in ["", "\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(nothing.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            assert_eq!(received(stream).await, "");
        }
    }
    stack.finish().await;
}

/// A client may send its next request before it has the answer to the one before.
#[tokio::test]
async fn a_refusal_says_why_wherever_the_request_is_cut() {
    const GOOD: &str = "HEAD /nobody HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const POST: &str =
        "PUT /nobody HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n12345\r\n\r\n";
    const BAD: &str = "GET /?q=a\"b HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let (stack, listeners) = stack().await;
    for address in listeners {
        for good in [GOOD, &GOOD.repeat(3), POST, &[POST, GOOD].concat()] {
            for cut in [0, 10, BAD.len()] {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all([good, &BAD[..cut]].concat().as_bytes()).await.unwrap();
                // The answer to what was good has come.
                stream.readable().await.unwrap();
                // A reset would take the answer away from a client that goes on to send.
                let rest = [&BAD[cut..], &"x".repeat(100 << 10)].concat();
                stream.write_all(rest.as_bytes()).await.unwrap();
                let answers = received(stream).await;
                let begin = answers.rfind("HTTP/1.1 ").unwrap();
                let (head, body) = split(&answers[begin..]);
                assert_eq!(status(&head), "400", "{good:?} {cut}: {answers}");
                assert!(message(&head, &body).contains("%22"), "{good:?} {cut}: {answers}");
            }
        }
        // Half a head.
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all([GOOD, "GET / HTTP/1.1\r\nHo"].concat().as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answers = received(stream).await;
        assert!(answers.ends_with("before the head of the request did\"}"), "{answers}");
    }
    stack.finish().await;
}

/// RFC 9113 section 3.3: a client may begin with HTTP/2 if it knows that the server speaks it.
#[tokio::test]
async fn a_client_that_begins_with_http_2_or_tls_is_told_what_is_spoken() {
    let (stack, listeners) = stack().await;
    for address in listeners {
        let settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00";
        let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], settings].concat();
        let mut stream = TcpStream::connect(address).await.unwrap();
        // In two pieces.
        stream.write_all(&preface[..20]).await.unwrap();
        stream.flush().await.unwrap();
        stream.write_all(&preface[20..]).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = received(stream).await;
        let bytes = answer.as_bytes();
        assert_eq!(&bytes[..9], settings, "{answer:?}");
        let goaway = &bytes[9..];
        assert_eq!(goaway[3], 7, "{answer:?}");
        assert_eq!(goaway[13..17], [0, 0, 0, 13], "HTTP_1_1_REQUIRED: {answer:?}");
        assert_eq!(usize::from(goaway[2]), goaway.len() - 9, "{answer:?}");
        assert!(answer.ends_with("this listener speaks HTTP/1.1 only"), "{answer:?}");

        let hello = b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03";
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(hello).await.unwrap();
        stream.shutdown().await.unwrap();
        let (head, body) = split(&received(stream).await);
        assert_eq!(status(&head), "400");
        assert!(message(&head, &body).contains("without TLS"), "{body}");
    }
    stack.finish().await;
}
