//! The memory for the bodies of pushes is divided among those who push.

use std::{net::SocketAddr, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::support::{
    soon,
    world::{World, data_send},
};

const SLOW: &str = "the-push-token-of-a-slow-program";
const OTHER: &str = "the-push-token-of-another-program";
const LENGTH: usize = 4 << 20;

/// Begins pushes with large bodies again and again. They come just fast enough to keep their
/// memory.
async fn push_slowly(address: SocketAddr) {
    let head = format!(
        "POST /~/t/{SLOW}/api-test HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LENGTH}\r\n\r\n"
    );
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        let mut sent = stream.write_all(head.as_bytes()).await;
        while sent.is_ok() {
            sent = stream.write_all(&[b' '; 8 << 10]).await;
            // The load, not a wait for anything.
            sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn push(world: &World, token: &str, body: &str) -> (u16, String) {
    let url = format!("http://{}/~/t/{token}/api-test", world.listeners.internal);
    let request = reqwest::Client::new().post(url).body(body.to_owned()).send();
    let answer = soon("an answer", request).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// All memory is for four of the largest bodies, and one token has as many slow ones on their way.
#[tokio::test]
async fn a_token_with_slow_bodies_keeps_no_other_token_from_pushing() {
    let settings = format!(
        r#"
        [push]
        auth = "token"
        max_body = {LENGTH}
        memory = {}
        tokens = [
            {{ apis = ["api-test"], token = "{SLOW}" }},
            {{ apis = ["api-test"], token = "{OTHER}" }},
        ]
        "#,
        4 * LENGTH
    );
    let world = World::with("", &settings).await;
    let (mut client, register) = world.client().await;
    let address = world.listeners.internal;
    let slow = (0..4).map(|_| AbortOnDropHandle::new(tokio::spawn(push_slowly(address))));
    let slow: Vec<_> = slow.collect();
    let body = data_send(register.id(), "hello").to_string() + &" ".repeat(LENGTH / 2);
    let refused = async {
        loop {
            let (status, said) = push(&world, SLOW, &body).await;
            if status == 429 && said.contains("too many pushes of this caller at once") {
                return;
            }
            if status == 200 {
                client.receive_text().await;
            }
        }
    };
    soon("a refusal of the token with slow bodies", refused).await;
    for _ in 0..4 {
        let (status, said) = push(&world, OTHER, &body).await;
        assert_eq!(status, 200, "{said}");
        assert_eq!(client.receive_text().await, "hello");
    }
    drop(slow);
    world.finish().await;
}
