//! What both listeners of the gateway do for callers that behave oddly, and to those that harm
//! others.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    access::OPERATOR,
    backend::Backend,
    client::Client,
    soon,
    world::{PATH, World, data_send},
};

/// More than the system keeps for a connection.
const LARGE: usize = 16 << 20;

/// A connection on which `bytes` have been sent.
async fn sent(address: std::net::SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    soon("the end of a request", stream.write_all(bytes)).await.unwrap();
    stream
}

/// The status and the body of the answer, after which the gateway closes the connection.
async fn answer(mut stream: TcpStream) -> (String, Value) {
    let mut answer = String::new();
    soon("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    (head["HTTP/1.1 ".len()..][..3].to_owned(), serde_json::from_str(body).unwrap())
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// The callers read nothing before they have sent everything, as many callers do.
#[tokio::test]
async fn an_answer_that_comes_before_the_end_of_the_request_reaches_its_caller() {
    let world = World::start().await;
    let (public, internal) = (world.listeners.public, world.listeners.internal);
    let large = "x".repeat(LARGE);
    let cases = [
        (public, post("/nobody", &large), "404"),
        (public, post(PATH, &large), "403"),
        (internal, post("/nobody", &large), "404"),
        (internal, post("/api-test", &large), "413"),
        (internal, post("/api-test", &large).replace("POST", "PUT"), "405"),
        (internal, post("/healthz", &large), "405"),
    ];
    for (address, request, status) in cases {
        let head = request.lines().next().unwrap().to_owned();
        assert_eq!(answer(sent(address, request.as_bytes()).await).await.0, status, "{head}");
    }
    world.finish().await;
}

#[tokio::test]
async fn callers_that_have_ended_their_sending_side_are_answered() {
    let world = World::start().await;
    let (mut client, call) = world.client().await;
    let list = format!(
        "GET /cleanups HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {OPERATOR}\r\n\r\n"
    );
    let push = post("/api-test", &data_send(call.id(), "hello").to_string());
    for (request, field, value) in [(list, "owed", 1), (push, "errNo", 0)] {
        let mut stream = sent(world.listeners.internal, request.as_bytes()).await;
        stream.shutdown().await.unwrap();
        let (status, body) = answer(stream).await;
        assert_eq!((&*status, &body[field]), ("200", &value.into()), "{request}");
    }
    assert_eq!(client.receive_text().await, "hello");
    world.finish().await;
}

/// Clients of one API whose register is slow. The next one is told to come back, and clients of
/// another API do not notice.
#[tokio::test]
async fn clients_that_wait_for_register_have_a_bound_for_each_api() {
    let backend = Backend::start().await;
    let world = World::launch(
        backend,
        r#"
        listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }
        api = [
            { id = "api-slow", path = "/slow", register = "BACKEND/register",
              transmit = "BACKEND/transmit", cleanup = "BACKEND/cleanup",
              register_concurrency = 2 },
            { id = "api-good", path = "/good", transmit = "BACKEND/transmit" },
        ]
        "#,
    )
    .await;
    let gate = world.backend.hold("register");
    let address = world.listeners.public;
    let mut connecting = tokio::task::JoinSet::new();
    for _ in 0..2 {
        connecting.spawn(Client::connect(address, "/slow"));
        world.backend.next("register").await;
    }
    let refused = Client::connect(address, "/slow").await.err().unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (503, &"5".parse().unwrap())
    );
    let mut good = Client::connect(address, "/good").await.unwrap();
    good.send("hello").await;
    assert_eq!(world.backend.next("transmit").await.data(), "hello");
    for _ in 0..2 {
        gate.notify_one();
        soon("a handshake", connecting.join_next()).await.unwrap().unwrap().unwrap();
    }
    // The bound is for those that wait, not for those that are connected.
    gate.notify_one();
    Client::connect(address, "/slow").await.unwrap();
    world.finish().await;
}
