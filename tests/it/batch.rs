//! Pushes to many: one payload to many connections, and many pushes in one request. The answer names
//! each connection that was not reached.

use serde_json::json;

use crate::support::world::World;

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
