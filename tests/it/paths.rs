//! Paths: which API a client reaches, and which push URL reaches a connection.

use serde_json::json;

use crate::support::{
    backend::Backend,
    client::Client,
    world::{World, data_send},
};

const RULES: &str = r#"
listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }

[[api]]
id = "plain"
path = "/test/u"
register = "BACKEND/register"
transmit = "BACKEND/transmit"
cleanup = "BACKEND/cleanup"

[[api]]
id = "parameter"
path = "/test/u/{user}"
register = "BACKEND/register"
transmit = "BACKEND/transmit"
cleanup = "BACKEND/cleanup"

[[api]]
id = "prefix"
path = "^~/test/u/admin"
register = "BACKEND/register"
transmit = "BACKEND/transmit"
cleanup = "BACKEND/cleanup"

[[api]]
id = "exact"
path = "=/test/u/root"
register = "BACKEND/register"
transmit = "BACKEND/transmit"
cleanup = "BACKEND/cleanup"
"#;

#[tokio::test]
async fn the_rules_are_tried_in_the_documented_order() {
    let world = World::launch(Backend::start().await, RULES).await;
    for (path, api, configured, parameters) in [
        ("/test/u/root", "exact", "=/test/u/root", json!({})),
        ("/test/u/admins", "prefix", "^~/test/u/admin", json!({})),
        ("/test/u/j%C3%B6rg?x=1", "parameter", "/test/u/{user}", json!({ "user": "jörg" })),
        ("/test/u/a/b", "plain", "/test/u", json!({})),
    ] {
        let _client = Client::connect(world.listeners.public, path).await.unwrap();
        let event = world.backend.next("register").await.event;
        assert_eq!(event["requestContext"]["serviceId"], api, "{path}");
        assert_eq!(event["requestContext"]["path"], configured, "{path}");
        assert_eq!(event["requestContext"]["stage"], "test", "{path}");
        assert_eq!(event["pathParameters"], parameters, "{path}");
    }
    let refused = Client::connect(world.listeners.public, "/test").await.err().unwrap();
    assert_eq!(refused.status(), 404);
    world.finish().await;
}

#[tokio::test]
async fn a_connection_is_reached_only_through_the_push_url_of_its_own_api() {
    let world = World::launch(Backend::start().await, RULES).await;
    let mut client = Client::connect(world.listeners.public, "/test/u/root").await.unwrap();
    let id = world.backend.next("register").await.id().to_owned();
    let body = data_send(&id, "hello").to_string();
    let (_, answer) = world.push_bytes("plain", body.clone()).await;
    assert_eq!(answer["errNo"], 410);
    let (_, answer) = world.push_bytes("exact", body).await;
    assert_eq!(answer["errNo"], 0);
    assert_eq!(client.receive_text().await, "hello");
    world.finish().await;
}
