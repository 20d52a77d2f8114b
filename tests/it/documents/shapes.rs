//! Samples of JSON are what is sent and understood: each is read by the types of the wire contract,
//! or compared with what a real gateway sends.

use http::{HeaderValue, header};
use serde_json::{Value, json};
use shared::{
    event::{CleanupEvent, TransmitEvent},
    invocation::ErrorObject,
    reply::RegisterReply,
};

use super::blocks::{Block, all_blocks};
use crate::support::{
    backend::{Backend, Reply},
    client::{Client, request},
    process::Process,
    soon,
    world::World,
};

/// What differs between two events of the same shape.
const DIFFERS: [&str; 5] =
    ["requestId", "secConnectionID", "host", "user-agent", "secWebSocketExtensions"];
/// Maps that a sample may shorten.
const SHORTENED: [&str; 2] = ["headers", "headerParameters"];

/// The samples, each with its JSON.
fn samples(name: &str) -> Vec<(Block, Value)> {
    let blocks = all_blocks().into_iter();
    let blocks = blocks.filter(|block| block.language == "json" && block.name == name);
    let read = |block: Block| {
        let value = serde_json::from_str(&block.text);
        let value = value.unwrap_or_else(|error| panic!("{}: {error}", block.place()));
        (block, value)
    };
    blocks.map(read).collect()
}

fn round_trip<'a, T: serde::Serialize + serde::Deserialize<'a>>(text: &'a str) -> Value {
    let parsed: T = serde_json::from_str(text).unwrap();
    serde_json::to_value(parsed).unwrap()
}

/// All but the ready line and the list of cleanups, which are compared with real ones below.
#[test]
fn each_sample_of_a_message_is_read_by_the_wire_contract() {
    let mut checked = 0;
    for (block, value) in samples("") {
        let place = block.place();
        let text = &block.text;
        match (&value["websocket"]["action"], value.get("errorCode"), value.get("errNo")) {
            (Value::String(action), None, None) if action == "data send" => {
                assert_eq!(round_trip::<TransmitEvent<'_>>(text), value, "{place}");
            }
            (Value::String(action), None, None) if action == "closing" => {
                assert_eq!(round_trip::<CleanupEvent>(text), value, "{place}");
            }
            (_, Some(_), None) => assert_eq!(round_trip::<ErrorObject>(text), value, "{place}"),
            (_, None, Some(_)) => {
                let reply = RegisterReply::parse(text.as_bytes()).unwrap();
                let protocol = value["websocket"]["secWebSocketProtocol"].as_str();
                let expected = RegisterReply::Accepted { protocol: protocol.map(str::to_owned) };
                assert_eq!(reply, expected, "{place}");
            }
            _ if value.get("ready").is_some() || value.get("owed").is_some() => continue,
            _ => panic!("{place} has a shape that this test does not know"),
        }
        checked += 1;
    }
    assert!(checked >= 8, "{checked}");
}

/// Whether `sample` says of each thing in it what `real` says.
fn compare(sample: &Value, real: &Value, key: &str, place: &str) {
    match (sample, real) {
        (Value::Object(sample), Value::Object(real)) => {
            for (key, sample) in sample {
                let real = real.get(key).unwrap_or_else(|| panic!("{place}: no {key} is sent"));
                compare(sample, real, key, place);
            }
        }
        _ if DIFFERS.contains(&key) => assert_eq!(sample.is_string(), real.is_string(), "{place}"),
        _ => assert_eq!(sample, real, "{place}: {key}"),
    }
}

/// Whether `sample` leaves nothing out, but headers.
fn is_whole(sample: &Value, real: &Value, place: &str) {
    for (key, real) in real.as_object().into_iter().flatten() {
        let sample = sample.get(key).unwrap_or_else(|| panic!("{place} has no {key}"));
        if !SHORTENED.contains(&key.as_str()) {
            is_whole(sample, real, place);
        }
    }
}

#[tokio::test]
async fn register_events_are_sent_as_the_documents_show_them() {
    let samples = samples("register event");
    assert_eq!(samples.len(), 3);
    for (block, sample) in samples {
        let place = block.place();
        let context = &sample["requestContext"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let configured = text(&context["path"]);
        let settings = format!(
            r#"
            listen = {{ public = "127.0.0.1:0", internal = "127.0.0.1:0" }}
            [[api]]
            id = "{}"
            path = "{configured}"
            register = "BACKEND/register"
            transmit = "BACKEND/transmit"
            cleanup = "BACKEND/cleanup"
            "#,
            text(&context["serviceName"]),
        );
        let world = World::launch(Backend::start().await, &settings).await;
        let path = sample["path"].as_str().unwrap_or(&configured);
        let query = sample["queryString"].as_object().unwrap();
        let query: Vec<_> =
            query.iter().map(|(key, value)| format!("{key}={}", text(value))).collect();
        let mut request = request(world.listeners.public, &format!("{path}?{}", query.join("&")));
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::from_static("a client"));
        for (name, value) in [
            (header::SEC_WEBSOCKET_PROTOCOL, &sample["websocket"]["secWebSocketProtocol"]),
            (header::SEC_WEBSOCKET_EXTENSIONS, &sample["websocket"]["secWebSocketExtensions"]),
        ] {
            if let Some(value) = value.as_str() {
                headers.insert(name, value.parse().unwrap());
            }
        }
        let protocol = json!({ "secWebSocketProtocol": "chat" });
        let accepted = json!({ "errNo": 0, "errMsg": "ok", "websocket": protocol });
        world.backend.always("register", Reply::json(&accepted));
        let client = Client::connect_with(request).await.unwrap();
        let event = world.backend.next("register").await.event;
        compare(&sample, &event, "", &place);
        if block.document == "docs/functions.md" {
            is_whole(&sample, &event, &place);
        }
        drop(client);
        world.finish().await;
    }
}

#[tokio::test]
async fn the_ready_line_is_as_the_documents_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("LONGHOLD_GATEWAY__LISTEN__PUBLIC", "127.0.0.1:0"),
        ("LONGHOLD_GATEWAY__LISTEN__INTERNAL", "127.0.0.1:0"),
        ("LONGHOLD_FUNCTION_RUNNER__LISTEN__INTERNAL", "127.0.0.1:0"),
    ];
    let longhold = Process::start("longhold", &[], folder.path(), &variables).await;
    let ready = samples("").into_iter().filter(|(_, value)| value.get("ready").is_some());
    let ready: Vec<_> = ready.collect();
    assert_eq!(ready.len(), 2);
    for (block, sample) in ready {
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&sample), keys(longhold.ready()), "{}", block.place());
    }
}

/// The list of given-up cleanups: the same keys, with values of the same types.
#[tokio::test]
async fn the_list_of_given_up_cleanups_is_as_the_documents_show_it() {
    let (block, sample) =
        samples("").into_iter().find(|(_, value)| value.get("owed").is_some()).unwrap();
    let world = World::with("", "[cleanup]\nmax_age = \"1ms\"").await;
    world.backend.always("cleanup", Reply::status(500));
    let (client, _) = world.client().await;
    client.close(1000.into()).await;
    let url = format!("http://{}/cleanups", world.listeners.internal);
    let list = soon("a given-up cleanup", async {
        loop {
            let list: Value = serde_json::from_slice(
                &crate::support::access::get(&url).await.unwrap().bytes().await.unwrap(),
            )
            .unwrap();
            if list["givenUp"] == 1 {
                return list;
            }
        }
    })
    .await;
    same_types(&sample, &list, &block.place());
    assert_eq!(list["cleanups"][0]["closeReason"], "client");
    assert_eq!(list["cleanups"][0]["error"], sample["cleanups"][0]["error"]);
    world.backend.always("cleanup", Reply::ok());
    let id = list["cleanups"][0]["secConnectionID"].as_str().unwrap();
    let retry = crate::support::access::operator().post(format!("{url}/{id}/retry")).send();
    assert_eq!(soon("a retry", retry).await.unwrap().status(), 200);
    world.finish().await;
}

fn same_types(sample: &Value, real: &Value, place: &str) {
    match (sample, real) {
        (Value::Object(sample), Value::Object(real)) => {
            assert!(sample.keys().eq(real.keys()), "{place}: {real:?}");
            sample.iter().for_each(|(key, value)| same_types(value, &real[key], place));
        }
        (Value::Array(sample), Value::Array(real)) => same_types(&sample[0], &real[0], place),
        _ => assert_eq!(
            std::mem::discriminant(sample),
            std::mem::discriminant(real),
            "{place}: {sample} {real}"
        ),
    }
}
