//! How many invocations may run at once, and how the next one is refused.

use std::net::SocketAddr;

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    functions::{function, gate, waiting},
    http::{invocation, receive, send, signed_now},
    server::Server,
};

/// With the settings `text`, one invocation of `waits` at the gate `name` is all that may run: the
/// next one gets `status`.
async fn check(name: &str, text: &str, status: u16) {
    let server = Server::start(text).await;
    let gate = gate(name);
    let held = send(server.address, &invocation("waits", "", b"{}")).await;
    gate.entered().await;
    assert_eq!(server.running("waits").await, 1);

    let refused = server.invoke("waits", "{}").await;
    assert_eq!((refused.status, &refused.json()["statusCode"]), (status, &json!(status)));

    gate.open();
    let held = receive(held).await;
    assert_eq!((held.status, held.json()), (200, json!("let go")));
    // After the answer, the permit is free.
    gate.open();
    assert_eq!(server.invoke("waits", "{}").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn more_than_the_instances_of_a_function_is_432() {
    check("instances", &waiting("instances", "max_instances = 1"), 432).await;
}

#[tokio::test]
async fn more_than_the_whole_runner_takes_is_429() {
    let text = format!("limits.max_invocations = 1\n{}", waiting("whole", ""));
    check("whole", &text, 429).await;
}

/// The bodies of callers that do not go on are given up when others need the memory. Callers that
/// go on are served.
#[tokio::test]
async fn all_bodies_that_are_being_read_have_one_bound() {
    let text = format!("limits.body_memory = \"18MiB\"\n{}", function("returns", ""));
    let server = Server::start(&text).await;
    let length = 17 << 20;
    let head = format!("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
    // Half of each body is sent, which is more than the bound for all of them.
    let half = [head.into_bytes(), vec![b' '; length / 2]].concat();
    let callers: Vec<_> =
        (0..4).map(|_| tokio::spawn(send_half(server.address, half.clone()))).collect();
    let mut given_up = 0;
    for caller in callers {
        given_up += usize::from(caller.await.unwrap());
    }
    assert!(given_up >= 2, "{given_up}");
    assert_eq!(server.invoke("returns", "1").await.status, 200);
    server.stop().await;
}

/// A stranger who knows the secret id, and not the key, has sent all of a largest body but its end.
#[tokio::test]
async fn bodies_of_strangers_take_no_memory_of_invocations() {
    let text = format!(
        "limits.body_memory = \"18MiB\"\n[invoke]\nsecret_id = \"id\"\nsecret_key = \"key-of-sixteen-bytes\"\n{}",
        function("returns", "")
    );
    let server = Server::start(&text).await;
    let length = 18 << 20;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n{}\r\n",
        signed_now("id", "content-type;host")
    );
    // More than the system keeps, so that most of it was read.
    let mut stranger =
        send(server.address, &[head.into_bytes(), vec![b' '; length - 1]].concat()).await;
    let event = format!("\"{}\"", "x".repeat(1 << 20));
    assert_eq!(server.invoke("returns", &event).await.status, 200);
    // It was not given up for the invocation.
    stranger.write_all(b" ").await.unwrap();
    let answer = receive(stranger).await;
    assert_eq!(answer.json()["Response"]["Error"]["Code"], "AuthFailure.SignatureFailure");
    server.stop().await;
}

/// Sends `half` of a request and waits for the answer: whether there was no memory for it.
async fn send_half(address: SocketAddr, half: Vec<u8>) -> bool {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&half).await.unwrap();
    receive(stream).await.json()["Response"]["Error"]["Code"] == "RequestLimitExceeded"
}

#[tokio::test]
async fn a_full_function_does_not_keep_others_from_running() {
    let text = [waiting("others", "max_instances = 1"), function("returns", "")].concat();
    let server = Server::start(&text).await;
    let held = send(server.address, &invocation("waits", "", b"{}")).await;
    gate("others").entered().await;
    assert_eq!(server.invoke("returns", "1").await.status, 200);
    gate("others").open();
    assert_eq!(receive(held).await.status, 200);
    server.stop().await;
}
