//! Pushes to many: one payload to many connections, and many pushes in one request. The answer
//! names each connection that was not reached.

use serde_json::json;

use crate::support::{
    client::Client,
    soon,
    world::{World, closing, data_send},
};

#[tokio::test]
async fn one_payload_reaches_many_and_the_answer_names_the_others() {
    let world = World::start().await;
    let (mut first, first_register) = world.client().await;
    let (mut second, second_register) = world.client().await;
    let ids = [first_register.id(), "gone", second_register.id()];
    let (status, answer) = world
        .push(json!({ "websocket": {
            "action": "data send", "secConnectionIDs": ids, "dataType": "text", "data": "all",
        } }))
        .await;
    assert_eq!(status, 200);
    assert_eq!(answer["errNo"], 0);
    let failed = answer["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["secConnectionID"], "gone");
    assert_eq!(failed[0]["errNo"], 410);
    assert_eq!(first.receive_text().await, "all");
    assert_eq!(second.receive_text().await, "all");
    world.finish().await;
}

#[tokio::test]
async fn one_request_can_have_different_pushes() {
    let world = World::start().await;
    let (mut first, first_register) = world.client().await;
    let (mut second, second_register) = world.client().await;
    let send = |id: &str, data| json!({ "action": "data send", "secConnectionID": id, "dataType": "text", "data": data });
    let (_, answer) = world
        .push(json!({ "websocket": [
            send(first_register.id(), json!("one")),
            send(second_register.id(), json!(2)),
            send(second_register.id(), json!("three")),
            { "action": "closing", "secConnectionID": first_register.id() },
        ] }))
        .await;
    let failed = answer["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{answer}");
    assert_eq!(failed[0]["errNo"], 422);
    assert_eq!(first.receive_text().await, "one");
    assert_eq!(first.closed().await, 1000);
    assert_eq!(second.receive_text().await, "three");
    world.finish().await;
}

#[tokio::test]
async fn a_push_to_no_connection_is_answered_0() {
    let world = World::start().await;
    for websocket in [json!([]), json!({ "action": "closing", "secConnectionIDs": [] })] {
        let answer = world.push(json!({ "websocket": websocket })).await;
        assert_eq!(answer, (200, json!({ "errNo": 0, "errMsg": "ok" })));
    }
    world.finish().await;
}

/// A batch of the frames that functions of ours send has one bound for all of its pushes.
#[tokio::test]
async fn a_batch_of_pushes_has_no_more_ids_than_one_push() {
    let world = World::with("", "[push]\nmax_ids = 10").await;
    let push = json!({ "websocket": { "action": "closing", "secConnectionIDs": vec!["x"; 4] } });
    let push = push.to_string();
    let batch = format!("a - {}\n{push}\n", push.len()).repeat(3);
    let url = format!("http://{}/api-test", world.listeners.internal);
    let request = crate::support::access::operator().post(url).body(batch);
    let answer = request.header("content-type", "application/vnd.longhold.batch").send();
    let answer = soon("the answer", answer).await.unwrap().text().await.unwrap();
    let statuses =
        |status: u16| (0..3).filter(|index| answer.contains(&format!("{index} {status} "))).count();
    assert_eq!((statuses(200), statuses(413)), (2, 1), "{answer}");
    world.finish().await;
}

/// As many strings would take a thousand times the memory of the body. Who is beside it is served.
#[tokio::test]
async fn a_push_to_more_connections_than_allowed_is_413() {
    let world = World::with("", "[push]\nmax_ids = 10").await;
    let (mut client, register) = world.client().await;
    let close =
        |ids: Vec<&str>| json!({ "websocket": { "action": "closing", "secConnectionIDs": ids } });
    let (status, answer) = world.push(close(vec!["x"; 10])).await;
    assert_eq!((status, answer["failed"].as_array().map(Vec::len)), (200, Some(10)));
    let mut ids = vec!["x"; 11];
    ids[0] = register.id();
    let (status, answer) = world.push(close(ids)).await;
    assert_eq!((status, &answer["errNo"]), (413, &json!(413)), "{answer}");
    let millions = format!(
        r#"{{"websocket":{{"action":"closing","secConnectionIDs":["x"{}]}}}}"#,
        r#","x""#.repeat(2_000_000)
    );
    assert_eq!(world.push_bytes("api-test", millions).await.0, 413);
    assert_eq!(world.push_text(register.id(), "still open").await, 0);
    assert_eq!(client.receive_text().await, "still open");
    world.finish().await;
}

/// Waits until the first bytes of a message have come. A message that is pushed before that may go
/// into the same flush, and then waits for this client.
async fn being_written(client: &Client) {
    soon("a message", client.socket.get_ref().peek(&mut [0])).await.unwrap();
}

/// Waits until a message to this client waits for longer than `push.timeout`, because an earlier
/// one is being written.
async fn until_429(world: &World, id: &str) {
    loop {
        match world.push_text(id, "probe").await {
            0 => {}
            other => return assert_eq!(other, 429),
        }
    }
}

/// A message of which a part has been written holds up the answer. It must not hold up the
/// deadlines of the messages beside it.
#[tokio::test]
async fn each_message_of_a_batch_has_its_deadline_whatever_the_others_do() {
    let world = World::with("", "[push]\ntimeout = '500ms'").await;
    // More than the system buffers for a client that reads nothing.
    let big = "x".repeat(768 << 10);
    let (mut stuck, stuck_register) = world.small_client().await;
    let (mut other, other_register) = world.small_client().await;
    let first = world.push_later(&data_send(other_register.id(), &big));
    being_written(&other).await;
    until_429(&world, other_register.id()).await;
    let batch = world.push_later(&json!({ "websocket": [
            data_send(stuck_register.id(), &big)["websocket"],
            data_send(other_register.id(), "too late")["websocket"],
        ] }));
    // The batch has begun when its first message is being written. The deadline of the last probe
    // is after that of the batch.
    being_written(&stuck).await;
    until_429(&world, stuck_register.id()).await;
    until_429(&world, other_register.id()).await;
    assert!(!batch.is_finished(), "nobody knows yet whether its first message will be written");

    let reading = tokio::spawn(async move {
        let mut texts = Vec::new();
        loop {
            let message = other.receive().await;
            match message.is_text() {
                true => texts.push(message.into_text().unwrap().len()),
                false => return texts,
            }
        }
    });
    assert_eq!(first.await.unwrap()["errNo"], 0);
    assert_eq!(world.push(closing(other_register.id())).await.1["errNo"], 0);
    let mut texts = reading.await.unwrap();
    texts.retain(|bytes| *bytes != "probe".len());
    assert_eq!(texts, [big.len()]);
    while stuck.receive_text().await.len() != big.len() {}
    let answer = batch.await.unwrap();
    assert_eq!(answer["failed"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(answer["failed"][0]["secConnectionID"], other_register.id());
    assert_eq!(answer["failed"][0]["errNo"], 429);
    world.finish().await;
}
