//! Projects of each shape serve clients, and not a byte of them is changed.

use std::net::SocketAddr;

use reqwest::header::HOST;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::sample::{Sample, can_run};
use crate::support::{client::Client, process::Process, soon};

/// The names of the objects in a bucket.
async fn keys(cos: SocketAddr, bucket: &str) -> Vec<String> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let listed = client.get(format!("http://{cos}/")).header(HOST, bucket).send().await.unwrap();
    assert!(listed.status().is_success(), "{listed:?}");
    let listed = listed.text().await.unwrap();
    let keys = listed.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap());
    keys.map(str::to_owned).collect()
}

/// Waits until the bucket has so many objects.
async fn has_objects(longhold: &Process, bucket: &str, number: usize) {
    let cos = longhold.address("cos");
    soon(&format!("{number} objects"), async { while keys(cos, bucket).await.len() != number {} })
        .await;
}

/// Two clients of the project `name` chat at each of `paths`, and their ids are in the bucket for
/// as long as they are connected.
async fn chats(name: &str, language: &str, paths: [&str; 2], bucket: &str) {
    if !can_run(language) {
        return;
    }
    let sample = Sample::of(name);
    let longhold = sample.up(&[]).await;
    let public = longhold.address("public");
    let mut clients = Vec::new();
    for path in paths {
        let client = Client::connect(public, path).await;
        clients.push(
            client.unwrap_or_else(|refused| {
                panic!("{name}: {}\n{}", refused.status(), longhold.log())
            }),
        );
    }
    has_objects(&longhold, bucket, 2).await;
    clients[0].send("hello").await;
    assert_eq!(clients[1].receive_text().await, "hello", "{name}");
    clients[1].send("hello yourself").await;
    assert_eq!(clients[0].receive_text().await, "hello yourself", "{name}");
    for (left, client) in clients.into_iter().enumerate() {
        client.close(CloseCode::Normal).await;
        has_objects(&longhold, bucket, 1 - left).await;
    }
    sample.stop(longhold).await;
}

#[tokio::test]
async fn functions_in_python_in_a_map_of_components_chat() {
    let bucket = "room-1251234567.cos.ap-guangzhou.myqcloud.com";
    chats("python-map", "python", ["/release/room", "/room"], bucket).await;
}

#[tokio::test]
async fn functions_in_node_in_a_map_of_components_chat() {
    let bucket = "board-1251234567.cos.ap-shanghai.myqcloud.com";
    chats("node-map", "node", ["/test/board", "/board"], bucket).await;
}

/// The website beside it is served too.
#[tokio::test]
async fn components_in_folders_of_their_own_chat() {
    let bucket = "talk-1251234567.cos.ap-beijing.myqcloud.com";
    chats("instances", "python", ["/release/talk", "/talk"], bucket).await;
}

#[tokio::test]
async fn the_pages_of_a_website_are_served() {
    if !can_run("python") {
        return;
    }
    let sample = Sample::of("instances");
    let longhold = sample.up(&[]).await;
    let page = reqwest::get(format!("http://{}/", longhold.address("public"))).await.unwrap();
    assert!(page.text().await.unwrap().contains("<title>Talk</title>"));
    sample.stop(longhold).await;
}

/// One entry file says what happens at each event, by the shim.
#[tokio::test]
async fn the_component_websocket_answers_each_client() {
    if !can_run("node") {
        return;
    }
    let sample = Sample::of("websocket");
    let longhold = sample.up(&[]).await;
    let public = longhold.address("public");
    for path in ["/release", "/"] {
        let mut client = Client::connect(public, path).await.ok().unwrap();
        for (message, parsed) in [("{\"a\":1}", "{\"a\":1}"), ("no json", "\"no json\"")] {
            client.send(message).await;
            let expected = format!("{{\"greeting\":\"hello\",\"data\":{parsed}}}");
            assert_eq!(client.receive_text().await, expected);
        }
        client.close(CloseCode::Normal).await;
    }
    sample.stop(longhold).await;
}

/// Two paths push by one id of the cloud.
#[tokio::test]
async fn functions_of_several_paths_push_by_one_address() {
    if !can_run("node") {
        return;
    }
    let sample = Sample::of("multi");
    let longhold = sample.up(&[]).await;
    for path in ["/first", "/second", "/release/first"] {
        let mut client = Client::connect(longhold.address("public"), path).await.ok().unwrap();
        client.send("echo").await;
        assert_eq!(client.receive_text().await, "echo", "{path}");
    }
    sample.stop(longhold).await;
}
