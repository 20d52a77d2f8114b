//! How many connections a function may have that are no connections of HTTP any more: tunnels, and
//! those that have become WebSockets.

use futures_util::StreamExt;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_tungstenite::accept_async;

use super::{BUCKET, Cloud, write_code};
use crate::subprocess::functions::{folder, has};

const CODE: &str = include_str!("bounds.py");
/// As docs/limits.md says, of both.
const MAX: usize = 64;

/// Has the function open all that it may have, each with `request`, which is answered with
/// `status`. The next one is refused with `refusal`. When one has ended, another one is opened.
async fn check(cloud: &Cloud, request: &str, status: u16, refusal: &str) {
    let asked = async |what: &str| {
        let event = json!({ "do": what, "request": request, "times": MAX });
        cloud.returns("python", &event).await
    };
    assert_eq!(asked("open").await, json!(vec![status; MAX]));
    for _ in 0..2 {
        let refused = asked("ask").await;
        assert_eq!(refused, json!([503, json!({ "message": refusal }).to_string()]));
        assert_eq!(asked("end one").await, status);
    }
}

#[tokio::test]
async fn an_instance_has_64_tunnels_and_another_one_when_one_has_ended() {
    if !has("python") {
        return;
    }
    let cloud = Cloud::start("python", CODE, "", "").await;
    let request = format!("CONNECT {BUCKET}:443 HTTP/1.1\r\nhost: {BUCKET}:443\r\n\r\n");
    check(&cloud, &request, 200, "the process has too many tunnels; close some").await;
    assert!(cloud.cos.is_idle().await);
    cloud.finish().await;
}

#[tokio::test]
async fn a_function_has_64_websockets_and_another_one_when_one_has_ended() {
    if !has("python") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut sockets = JoinSet::new();
    // The server sees none of those that are refused: it takes as many as are opened.
    let serving = tokio::spawn(async move {
        for _ in 0..MAX + 2 {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = accept_async(stream).await.unwrap();
            sockets.spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
        }
        sockets.join_all().await;
    });
    let folder = folder();
    write_code(&folder, "python", CODE);
    let cloud = Cloud::start_with(folder, "python", "", "", Some(&url)).await;
    let request = "GET /release/x HTTP/1.1\r\nhost: service-a-1.gz.apigw.tencentcs.com\r\n\
                   connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    check(&cloud, request, 101, "the function has 64 connections of WebSockets open").await;
    cloud.finish().await;
    serving.await.unwrap();
}
