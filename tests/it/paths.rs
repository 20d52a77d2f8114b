//! Paths: which API a client reaches, and which push URL reaches a connection.

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

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

const SPELLINGS: &str = r#"
listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }
api = [
    { id = "raw", path = "/release/聊天", register = "BACKEND/register",
      transmit = "BACKEND/transmit", cleanup = "BACKEND/cleanup" },
    { id = "space", path = "=/release/my room", register = "BACKEND/register",
      transmit = "BACKEND/transmit", cleanup = "BACKEND/cleanup" },
    { id = "encoded", path = "^~/release/%e6%88%bf/", register = "BACKEND/register",
      transmit = "BACKEND/transmit", cleanup = "BACKEND/cleanup" },
    { id = "ascii", path = "=/release/tea", register = "BACKEND/register",
      transmit = "BACKEND/transmit", cleanup = "BACKEND/cleanup" },
    { id = "expression", path = "/u/{name}/你%e5%a5%bd( x)?", register = "BACKEND/register",
      transmit = "BACKEND/transmit", cleanup = "BACKEND/cleanup" },
]
"#;

/// RFC 3986 section 6.2.2.
#[tokio::test]
async fn a_path_is_the_same_in_every_spelling() {
    let world = World::launch(Backend::start().await, SPELLINGS).await;
    for (path, api, parameters) in [
        ("/release/%E8%81%8A%E5%A4%A9", "raw", json!({})),
        ("/release/%e8%81%8a%e5%a4%a9/1", "raw", json!({})),
        ("/release/聊天", "raw", json!({})),
        ("/release/my%20room", "space", json!({})),
        ("/release/%E6%88%BF/1", "encoded", json!({})),
        ("/release/房/1", "encoded", json!({})),
        ("/release/%74e%61", "ascii", json!({})),
        ("/%72elease/./x/../tea", "ascii", json!({})),
        ("/release/x/%2e%2E/tea", "ascii", json!({})),
        ("/u/j%C3%B6rg/%E4%BD%A0%E5%A5%BD", "expression", json!({ "name": "jörg" })),
        ("/u/a%2Fb%2541/你好%20x", "expression", json!({ "name": "a/b%41" })),
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        let mut stream = TcpStream::connect(world.listeners.public).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let event = world.backend.next("register").await.event;
        assert_eq!(event["requestContext"]["serviceId"], api, "{path}");
        assert_eq!(event["pathParameters"], parameters, "{path}");
        assert_eq!(event["path"], path, "as the client sent it");
    }
    for other in ["/release/te%2561", "/release%2Ftea", "/release/my+room", "/release/TEA"] {
        let refused = Client::connect(world.listeners.public, other).await.err().unwrap();
        assert_eq!(refused.status(), 404, "{other}");
    }
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

const SEVERAL: &str = r#"
listen = { public = "127.0.0.1:0", internal = "127.0.0.1:0" }

[[api]]
id = "chat"
path = ["/pgws", "/test/pgws", "=/prepub/room/{id}", "/u/{user}"]
push_ids = ["api-etj7lhtw"]
register = "BACKEND/register"
transmit = "BACKEND/transmit"
cleanup = "BACKEND/cleanup"

[[api]]
id = "game"
path = "/game"
push_ids = ["api-etj7lhtw", "chat"]
register = "BACKEND/register"
transmit = "BACKEND/transmit"
cleanup = "BACKEND/cleanup"

[[api]]
id = "other"
path = "/other"
register = "BACKEND/register"
transmit = "BACKEND/transmit"
cleanup = "BACKEND/cleanup"
"#;

#[tokio::test]
async fn an_api_may_have_several_paths() {
    let world = World::launch(Backend::start().await, SEVERAL).await;
    for (path, configured, stage, parameters) in [
        ("/pgws", "/pgws", "test", json!({})),
        ("/test/pgws", "/test/pgws", "test", json!({})),
        ("/prepub/room/%7Bid%7D", "=/prepub/room/{id}", "prepub", json!({})),
        ("/u/anna", "/u/{user}", "test", json!({ "user": "anna" })),
    ] {
        let _client = Client::connect(world.listeners.public, path).await.unwrap();
        let event = world.backend.next("register").await.event;
        assert_eq!(event["requestContext"]["serviceId"], "chat", "{path}");
        assert_eq!(event["requestContext"]["path"], configured, "{path}");
        assert_eq!(event["requestContext"]["stage"], stage, "{path}");
        assert_eq!(event["pathParameters"], parameters, "{path}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_push_reaches_the_connections_of_all_apis_that_share_its_id() {
    let world = World::launch(Backend::start().await, SEVERAL).await;
    let mut clients = Vec::new();
    for path in ["/pgws", "/game", "/other"] {
        let client = Client::connect(world.listeners.public, path).await.unwrap();
        let id = world.backend.next("register").await.id().to_owned();
        clients.push((path, client, id));
    }
    for (push_id, reached) in [
        ("api-etj7lhtw", &["/pgws", "/game"][..]),
        ("chat", &["/pgws", "/game"]),
        ("game", &["/game"]),
        ("other", &["/other"]),
    ] {
        for (path, client, id) in &mut clients {
            let body = data_send(id, push_id).to_string();
            let (_, answer) = world.push_bytes(push_id, body).await;
            if reached.contains(path) {
                assert_eq!(answer["errNo"], 0, "{push_id} {path}");
                assert_eq!(client.receive_text().await, push_id);
            } else {
                assert_eq!(answer["errNo"], 410, "{push_id} {path}");
            }
        }
    }
    // An id is known as long as settings have it.
    world.change(&SEVERAL.replace("api-etj7lhtw", "api-other123")).await;
    world.change(&SEVERAL.replace("api-etj7lhtw", "api-other123")).await;
    let body = || data_send(&clients[0].2, "hello").to_string();
    assert_eq!(world.push_bytes("api-etj7lhtw", body()).await.0, 404);
    assert_eq!(world.push_bytes("api-other123", body()).await.1["errNo"], 0);
    world.finish().await;
}
