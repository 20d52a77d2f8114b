//! Pushes: each answer says what happened to the message.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    backend::Reply,
    soon,
    world::{World, data_send},
};

fn binary(id: &str, data: &str) -> Value {
    json!({ "websocket": {
        "action": "data send", "secConnectionID": id, "dataType": "binary", "data": data,
    } })
}

#[tokio::test]
async fn text_and_binary_reach_the_client() {
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    let answer = world.push(data_send(register.id(), "grüß 👋 \"x\"")).await;
    assert_eq!(answer, (200, json!({ "errNo": 0, "errMsg": "ok" })));
    assert_eq!(client.receive_text().await, "grüß 👋 \"x\"");
    assert_eq!(world.push(binary(register.id(), "AP8=")).await.1["errNo"], 0);
    assert_eq!(client.receive().await, Message::Binary(vec![0, 255].into()));
    assert_eq!(world.push_text(register.id(), "").await, 0);
    assert_eq!(client.receive_text().await, "");
    world.finish().await;
}

#[tokio::test]
async fn a_push_to_an_unknown_id_is_410() {
    let world = World::start().await;
    let (client, register) = world.client().await;
    client.close(1000.into()).await;
    world.backend.next("cleanup").await;
    for stale in [register.id(), "xawexasdfewezdfsdfeasdfffa==", "", "../../etc", "💥"] {
        let (status, answer) = world.push(data_send(stale, "hello")).await;
        assert_eq!((status, &answer["errNo"]), (200, &json!(410)), "{stale}");
    }
    world.finish().await;
}

#[tokio::test]
async fn an_invalid_push_is_422_and_a_message_that_is_too_large_413() {
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    let id = register.id();
    let send = |fields: Value| {
        let mut websocket = json!({ "action": "data send", "secConnectionID": id });
        websocket.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "websocket": websocket })
    };
    let limit = 1 << 20;
    let reading = tokio::spawn(async move { assert_eq!(client.receive_text().await.len(), limit) });
    for (body, err_no) in [
        (send(json!({ "action": "shout" })), 422),
        (send(json!({ "data": 5 })), 422),
        (send(json!({})), 422),
        (send(json!({ "dataType": "image", "data": "x" })), 422),
        (send(json!({ "dataType": "binary", "data": "%%%" })), 422),
        (send(json!({ "data": "x".repeat(limit + 1) })), 413),
        (send(json!({ "data": "x".repeat(limit) })), 0),
    ] {
        let (status, answer) = world.push(body).await;
        assert_eq!((status, &answer["errNo"]), (200, &json!(err_no)), "{answer}");
        assert!(answer["errMsg"].as_str().is_some_and(|message| !message.is_empty()));
    }
    reading.await.unwrap();
    world.finish().await;
}

#[tokio::test]
async fn an_unknown_api_is_404_and_the_wrong_method_405() {
    let world = World::start().await;
    let (status, answer) = world.push_bytes("nobody", "{}").await;
    assert_eq!((status, &answer["errNo"]), (404, &json!(404)));
    assert_eq!(world.get("/api-test").await, 405);
    assert_eq!(world.get("/nobody").await, 404);
    world.finish().await;
}

/// Paths below `/~/` are kept for routes to come: they are not taken for APIs.
#[tokio::test]
async fn a_path_below_the_reserved_beginning_is_404_for_every_method() {
    let world = World::start().await;
    for path in ["~/", "~/metrics", "~/api-test", "~/healthz/x"] {
        let (status, answer) = world.push_bytes(path, "{}").await;
        let expected = json!({ "message": "nothing here: no route has this path" });
        assert_eq!((status, answer), (404, expected), "{path}");
        assert_eq!(world.get(&format!("/{path}")).await, 404, "{path}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_push_from_within_register_is_held_and_delivered_after_the_101() {
    let world = World::start().await;
    let listeners = world.listeners;
    world.backend.on("register", move |call| async move {
        // The function waits for the answer, as functions do, before it returns.
        let url = format!("http://{}/api-test", listeners.internal);
        let body = data_send(call.id(), "welcome").to_string();
        let answer = crate::support::access::operator().post(url).body(body).send().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["errNo"], 0);
        Reply::ok()
    });
    let mut client = world.connect().await;
    assert_eq!(client.receive_text().await, "welcome");
    world.finish().await;
}

#[tokio::test]
async fn a_function_can_push_to_the_sender_before_it_returns() {
    let world = World::start().await;
    let listeners = world.listeners;
    world.backend.on("transmit", move |call| async move {
        let url = format!("http://{}/api-test", listeners.internal);
        let body = data_send(call.id(), &format!("echo {}", call.data())).to_string();
        let answer = crate::support::access::operator().post(url).body(body).send().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["errNo"], 0);
        Reply::ok()
    });
    let mut client = world.connect().await;
    for number in 0..10 {
        client.send(number.to_string()).await;
        assert_eq!(client.receive_text().await, format!("echo {number}"));
    }
    world.finish().await;
}

/// When the client reads again, it gets exactly the messages of the pushes that were answered 0.
#[tokio::test]
async fn pushes_to_a_client_that_does_not_read_are_429_and_all_answers_are_true() {
    let world =
        World::with("", "[connection]\nsend_queue = '256KiB'\n[push]\ntimeout = '50ms'").await;
    let (mut client, register) = world.client().await;
    let big = "x".repeat(256 << 10);
    let mut pushing = tokio::task::JoinSet::new();
    let (mut written, mut refused) = (0, 0);
    let url = format!("http://{}/api-test", world.listeners.internal);
    let http = crate::support::access::operator();
    // Far more than the system buffers, which is at most about 6 MB on loopback.
    for _ in 0..64 {
        let request = http.post(&url).body(data_send(register.id(), &big).to_string());
        pushing.spawn(async move {
            let answer = request.send().await.unwrap().bytes().await.unwrap();
            serde_json::from_slice::<Value>(&answer).unwrap()["errNo"].as_u64().unwrap()
        });
    }
    // One push may be partly written, and is answered only when the client reads. The others are
    // answered before.
    while pushing.len() > 1 {
        match pushing.join_next().await.unwrap().unwrap() {
            0 => written += 1,
            429 => refused += 1,
            other => panic!("errNo {other}"),
        }
    }
    assert!(refused > 0, "no push was refused");
    let reading = tokio::spawn(async move {
        let mut read = 0;
        while client.receive().await.is_text() {
            read += 1;
        }
        read
    });
    if pushing.join_next().await.unwrap().unwrap() == 0 {
        written += 1;
    }
    assert_eq!(world.push(crate::support::world::closing(register.id())).await.1["errNo"], 0);
    assert_eq!(reading.await.unwrap(), written);
    world.finish().await;
}

#[tokio::test]
async fn pushes_are_503_once_the_last_connection_of_a_draining_gateway_has_ended() {
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    let gate = world.backend.hold("cleanup");
    world.stop.cancel();
    assert_eq!(client.closed().await, 1001);
    // The internal listener stays open while a cleanup runs.
    world.backend.next("cleanup").await;
    let (status, answer) = world.push(data_send(register.id(), "too late")).await;
    assert_eq!((status, &answer["errNo"]), (503, &json!(503)));
    let (status, answer) = world.push(crate::support::world::closing(register.id())).await;
    assert_eq!((status, &answer["errNo"]), (200, &json!(410)));
    assert_eq!(world.get("/readyz").await, 503);
    assert_eq!(world.get("/healthz").await, 200);
    gate.notify_one();
    world.finish().await;
}

/// Memory follows the bytes that have come, and a body that does not go on gives its memory up.
#[tokio::test]
async fn a_push_whose_body_does_not_go_on_keeps_nobody_from_pushing() {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };
    let world =
        World::with("max_message = '1KiB'", "[push]\nmax_body = '1MiB'\nmemory = '1MiB'").await;
    let (mut client, register) = world.client().await;
    let length = 1 << 20;
    let head =
        format!("POST /api-test HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
    let announced = async |bytes: usize| {
        let mut stream = TcpStream::connect(world.listeners.internal).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; bytes]).await.unwrap();
        stream
    };
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(announced(0).await);
    }
    let mut half_sent = announced(length - 1).await;
    // Large enough to need the same memory: small bodies have their own.
    let large = data_send(register.id(), "hello").to_string() + &" ".repeat(length / 2);
    for _ in 0..8 {
        let (status, answer) = world.push_bytes("api-test", large.clone()).await;
        assert_eq!((status, &answer["errNo"]), (200, &0.into()), "{answer}");
        assert_eq!(client.receive_text().await, "hello");
    }
    let mut answer = String::new();
    soon("an answer", half_sent.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    world.finish().await;
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// POSTs a body to `api-test` with this `Content-Encoding`. Returns the HTTP status, the header
/// `Accept-Encoding` and the answer.
async fn push_encoded(world: &World, encoding: &str, body: Vec<u8>) -> (u16, String, Value) {
    let url = format!("http://{}/api-test", world.listeners.internal);
    let request = crate::support::access::operator().post(url).header("content-encoding", encoding);
    let response = soon("an answer to a push", request.body(body).send()).await.unwrap();
    let accepted = response.headers().get("accept-encoding");
    let accepted = accepted.map_or("", |value| value.to_str().unwrap()).to_owned();
    let status = response.status().as_u16();
    (status, accepted, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_push_in_gzip_is_decoded_and_another_encoding_is_named() {
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    let long = "long ".repeat(10_000);
    for text in ["short", &long] {
        let body = gzip(data_send(register.id(), text).to_string().as_bytes());
        for encoding in ["gzip", "X-GZIP"] {
            let (status, _, answer) = push_encoded(&world, encoding, body.clone()).await;
            assert_eq!((status, &answer["errNo"]), (200, &json!(0)), "{answer}");
            assert_eq!(client.receive_text().await, text);
        }
        // In two parts, as some tools write it.
        let plain = data_send(register.id(), text).to_string();
        let (first, second) = plain.as_bytes().split_at(20);
        let body = [gzip(first), gzip(second)].concat();
        assert_eq!(push_encoded(&world, "gzip", body).await.0, 200);
        assert_eq!(client.receive_text().await, text);
    }
    let plain = data_send(register.id(), "hi").to_string().into_bytes();
    assert_eq!(push_encoded(&world, "identity", plain.clone()).await.0, 200);
    assert_eq!(client.receive_text().await, "hi");
    for encoding in ["br", "deflate", "gzip, gzip"] {
        let (status, accepted, answer) = push_encoded(&world, encoding, plain.clone()).await;
        assert_eq!((status, &*accepted, &answer["errNo"]), (415, "gzip", &json!(415)), "{answer}");
        assert!(answer["errMsg"].as_str().unwrap().contains("use gzip, or none"), "{answer}");
    }
    let whole = gzip(&plain);
    for body in [plain.clone(), whole[..whole.len() - 4].to_vec(), Vec::new()] {
        let (status, _, answer) = push_encoded(&world, "gzip", body).await;
        assert_eq!((status, &answer["errNo"]), (400, &json!(400)), "{answer}");
        assert!(answer["errMsg"].as_str().unwrap().contains("gzip"), "{answer}");
    }
    world.finish().await;
}

/// The gateway stops when it has as much as a body may have.
#[tokio::test]
async fn a_small_body_that_would_become_a_huge_one_is_refused() {
    let world = World::start().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..64 {
        encoder.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    let (status, _, answer) = push_encoded(&world, "gzip", bomb).await;
    assert_eq!((status, &answer["errNo"]), (413, &json!(413)), "{answer}");
    // The memory is free again.
    let (mut client, register) = world.client().await;
    let body = gzip(data_send(register.id(), "hi").to_string().as_bytes());
    assert_eq!(push_encoded(&world, "gzip", body).await.0, 200);
    assert_eq!(client.receive_text().await, "hi");
    world.finish().await;
}

/// What an encoder sends that does not compress and is flushed often is longer than the plain
/// bytes.
#[tokio::test]
async fn a_push_in_gzip_may_have_as_many_plain_bytes_as_any_however_it_is_encoded() {
    let limit = 1 << 20;
    let world = World::with("max_message = '1KiB'", "[push]\nmax_body = '1MiB'").await;
    let (mut client, register) = world.client().await;
    for (length, expected) in [(limit, 200), (limit + 1, 413)] {
        let mut plain = data_send(register.id(), "hi").to_string().into_bytes();
        plain.resize(length, b' ');
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        for part in plain.chunks(128) {
            encoder.write_all(part).unwrap();
            encoder.flush().unwrap();
        }
        let body = encoder.finish().unwrap();
        assert!(body.len() > limit + limit / 16, "{} bytes", body.len());
        let (status, _, answer) = push_encoded(&world, "gzip", body).await;
        assert_eq!(status, expected, "{length} bytes: {answer}");
    }
    assert_eq!(client.receive_text().await, "hi");
    world.finish().await;
}

/// Members without a plain byte could come for as long as somebody reads them.
#[tokio::test]
async fn a_body_of_empty_members_is_refused_when_more_has_come_than_a_body_may_have() {
    let world = World::with("max_message = '1KiB'", "[push]\nmax_body = '64KiB'").await;
    let member = gzip(b"");
    let members = member.repeat((256 << 10) / member.len());
    let (status, _, answer) = push_encoded(&world, "gzip", members).await;
    assert_eq!((status, &answer["errNo"]), (413, &json!(413)), "{answer}");
    world.finish().await;
}

#[tokio::test]
async fn a_byte_order_mark_is_taken_off_and_utf_16_is_named() {
    let world = World::start().await;
    let (mut client, register) = world.client().await;
    let text = data_send(register.id(), "hi").to_string();
    let marked = ["\u{feff}", &text].concat();
    assert_eq!(world.push_bytes("api-test", marked.clone()).await.0, 200);
    assert_eq!(client.receive_text().await, "hi");
    assert_eq!(push_encoded(&world, "gzip", gzip(marked.as_bytes())).await.0, 200);
    assert_eq!(client.receive_text().await, "hi");
    for text in [&text, &marked] {
        let units: Vec<_> = text.encode_utf16().collect();
        let little: Vec<_> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<_> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for body in [little, big] {
            let (status, answer) = world.push_bytes("api-test", body).await;
            assert_eq!((status, &answer["errNo"]), (400, &json!(400)), "{answer}");
            assert!(answer["errMsg"].as_str().unwrap().contains("must be in UTF-8"), "{answer}");
        }
    }
    let (_, answer) = world.push_bytes("api-test", gzip(text.as_bytes())).await;
    assert!(answer["errMsg"].as_str().unwrap().contains("compressed with gzip"), "{answer}");
    world.finish().await;
}
